/* bench-output words|counters BYTES [both]: prints as fast as it can.
 *
 * words      long lines without a number
 * counters   lines of 80 bytes as a build prints them, each with how many of how many and a
 *            percentage; every eighth ends as one that is printed over
 * both       the second half of each block goes to stderr */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/macro.h"

#define BLOCK (64 * KIB)
#define LINE 80
#define WORDS_LINE 4000

static char block[BLOCK + LINE];

static void put_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno != EINTR)
            exit(EXIT_FAILURE);
        data += MAX(n, 0);
        size -= (size_t)MAX(n, 0);
    }
}

static void fill_words(void) {
    static const char text[] = "the quick brown fox jumps over the lazy dog, ";

    for (size_t i = 0; i < BLOCK; i++)
        block[i] = (i + 1) % WORDS_LINE == 0 ? '\n' : text[i % (sizeof(text) - 1)];
}

/* Right-aligned, in a place of that width. */
static void put_number(char *end, uint64_t number, int width) {
    for (; width > 0; width--, number /= 10)
        *--end = (char)(number > 0 ? '0' + number % 10 : ' ');
}

/* Gives the bytes of as many whole lines as there is room for. printf(3) would be what is
 * measured. */
static size_t fill_counters(uint64_t first, uint64_t total) {
    static const char form[] =
        "[        0/        0] (  0%) Building C object src/library/module/file.c.o        \n";
    _Static_assert(sizeof(form) >= LINE, "a line has what it is to have");
    size_t size = 0;

    for (uint64_t n = first; n <= total && size + LINE <= BLOCK; n++, size += LINE) {
        char *line = block + size;
        memcpy(line, form, LINE);
        put_number(line + 10, n, 9);
        put_number(line + 20, total, 9);
        put_number(line + 26, n * 100 / total, 3);
        line[LINE - 1] = n % 8 == 0 ? '\r' : '\n';
    }
    return size;
}

int main(int argc, char **argv) {
    uint64_t bytes = argc >= 3 ? strtoull(argv[2], NULL, 10) : 0, total = bytes / LINE, line = 1;
    bool counters = argc >= 2 && streq(argv[1], "counters"), both = argc == 4;

    if (bytes == 0 || (!counters && !streq(argv[1], "words")))
        return EXIT_FAILURE;
    fill_words();
    if (counters)
        bytes = total * LINE;
    while (bytes > 0) {
        size_t size = MIN(counters ? fill_counters(line, total) : (size_t)BLOCK, bytes);
        size_t half = both ? size / LINE / 2 * LINE : 0;
        put_all(STDOUT_FILENO, block, size - half);
        put_all(STDERR_FILENO, block + size - half, half);
        line += size / LINE;
        bytes -= size;
    }
    return EXIT_SUCCESS;
}
