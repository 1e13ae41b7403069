"""Where the installation keeps what is not Python: the sample programs and the assembly library."""

from __future__ import annotations

import os

from forkyard.errors import UserError


def samples_folder() -> str:
    """The directory of the sample programs: beside this package in the source tree, within it in the wheel."""
    here = os.path.dirname(os.path.abspath(__file__))
    for place in (os.path.join(here, "programs"), os.path.join(os.path.dirname(here), "programs")):
        if os.path.isdir(os.path.join(place, "lib")):
            return place
    raise UserError(f"this installation is not complete: the sample programs are not at {place}; install forkyard anew")


def library_folder() -> str:
    """The directory of the assembly library that programs are linked with."""
    return os.path.join(samples_folder(), "lib")


def include_path() -> list[str]:
    """Where .include looks besides the source's own directory."""
    return [library_folder(), samples_folder()]
