/* fork + exit + wait of a process with argv[1] MiB touched in 4 KiB pages, argv[2] times: the median of each in µs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    size_t size = strtoul(argv[1], 0, 10) << 20;
    int rounds = argc > 2 ? atoi(argv[2]) : 21;
    double *taken = malloc(rounds * sizeof *taken);
    char *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(memory, size, MADV_NOHUGEPAGE);
    memset(memory, 1, size);
    for (int i = 0; i < rounds; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        pid_t child = fork();
        if (child == 0) _exit(0);
        waitpid(child, 0, 0);
        clock_gettime(CLOCK_MONOTONIC, &end);
        taken[i] = (end.tv_sec - start.tv_sec) * 1e6 + (end.tv_nsec - start.tv_nsec) / 1e3;
    }
    qsort(taken, rounds, sizeof *taken, ascending);
    printf("%.1f\n", taken[rounds / 2]);
    return 0;
}
