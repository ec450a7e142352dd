/* bench-exit FILE: notes who it is and what time it is, and is gone. */

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/bench-exit.h"

int main(int argc, char **argv) {
    const char *id = getenv("LONGRUN_TASK_ID");
    int fd = argc == 2 && id ? open(argv[1], O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

    if (fd < 0)
        return EXIT_FAILURE;
    ExitRecord record = {.id = strtoull(id, NULL, 10)};
    record.nsec = bench_nsec();
    _exit(write(fd, &record, sizeof(record)) == sizeof(record) ? EXIT_SUCCESS : EXIT_FAILURE);
}
