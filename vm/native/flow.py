"""What a region's control flow tells: where the budget is checked, and for how many instructions."""

from __future__ import annotations

from vm.native.regions import Region


class Flow:
    """`room`: for each block at which the budget is checked, the instructions that it must be good for."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self._order: list[int] = []
        self._checked = {region.entry}
        self._search()
        self.room = self._distances()

    def _search(self) -> None:
        """Depth first: the blocks in post-order, and where a way leads back to a block that it came through."""
        blocks, entry = self.region.blocks, self.region.entry
        state = {entry: 1}
        stack = [(entry, iter(blocks[entry].next))]
        while stack:
            pc, rest = stack[-1]
            for following in rest:
                if following not in state:
                    state[following] = 1
                    stack.append((following, iter(blocks[following].next)))
                    break
                if state[following] == 1:
                    self._checked.add(following)
            else:
                state[pc] = 2
                self._order.append(pc)
                stack.pop()

    def _distances(self) -> dict[int, int]:
        """The longest way from each checked block to the next check, in instructions."""
        longest: dict[int, int] = {}
        for pc in self._order:
            block = self.region.blocks[pc]
            ways = [longest[following] for following in block.next if following not in self._checked]
            longest[pc] = len(block.ops) + max(ways, default=0)
        return {pc: longest[pc] for pc in self._order if pc in self._checked}
