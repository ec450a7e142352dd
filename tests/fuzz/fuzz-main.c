/* Runs a fuzz target over files, and over each of them changed a little, in the same way each time:
 * so the corpus is an ordinary test, where there is no libFuzzer.
 *
 *     fuzz-NAME FILE-OR-FOLDER... */

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (1 * MIB)
#define CHANGES 200 /* of each file */

static uint32_t seed = 1;

static uint32_t random_below(size_t n) {
    seed = seed * 1664525 + 1013904223;
    return n > 0 ? (uint32_t)((seed >> 8) % n) : 0;
}

/* Bytes that mean something to those who read lines, numbers and sequences. */
static uint8_t random_byte(void) {
    static const char bytes[] =
        "\x1b\x1b[]\\\a\n\r\b\x18\x9c%%//0123456789;;.,- ofKGm=\0\xff\xfe\xc2";

    return (uint8_t)bytes[random_below(sizeof(bytes) - 1)];
}

static void change(uint8_t *data, size_t *size) {
    for (uint32_t n = 1 + random_below(8); n > 0 && *size > 0; n--) {
        size_t at = random_below(*size), span = random_below(MIN(*size - at, 32U)) + 1;
        switch (random_below(4)) {
        case 0:
            data[at] = random_byte();
            break;
        case 1:
            data[at] ^= (uint8_t)(1 << random_below(8));
            break;
        case 2: /* left out */
            span = MIN(span, *size - at);
            memmove(data + at, data + at + span, *size - at - span);
            *size -= span;
            break;
        case 3: /* said twice; there is room for that */
            span = MIN(span, *size - at);
            memmove(data + at + span, data + at, *size - at);
            *size += span;
            break;
        }
    }
}

static void run_changed(const char *data, size_t size) {
    _cleanup_free_ uint8_t *copy = malloc(size + 8 * 33);

    MUST(copy);
    for (int i = 0; i < CHANGES; i++) {
        size_t n = size;
        memcpy(copy, data, size);
        change(copy, &n);
        LLVMFuzzerTestOneInput(copy, n);
    }
}

static unsigned run_file(const char *path) {
    _cleanup_free_ char *data = NULL;
    size_t size;
    int r = file_read_all(path, INPUT_MAX, &data, &size);

    if (r < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(-r));
        exit(EXIT_FAILURE);
    }
    /* In a piece of memory of its own size, so that a byte too many is seen. */
    _cleanup_free_ uint8_t *exact = malloc(size);
    MUST(exact || size == 0);
    if (size > 0)
        memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    if (size < 64 * KIB)
        run_changed(data, size);
    return 1;
}

static unsigned run_folder(const char *path) {
    struct dirent **entries;
    unsigned files = 0;
    int n = scandir(path, &entries, NULL, alphasort);

    MUST(n >= 0);
    for (int i = 0; i < n; i++) {
        char file[PATH_MAX];
        snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            files += run_file(file);
        free(entries[i]);
    }
    free(entries);
    return files;
}

int main(int argc, char **argv) {
    unsigned files = 0;
    struct stat st;

    for (int i = 1; i < argc; i++)
        files += stat(argv[i], &st) >= 0 && S_ISDIR(st.st_mode) ? run_folder(argv[i])
                                                                : run_file(argv[i]);
    printf("%u inputs\n", files);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
