/* Random logs of two streams, read at random moments, against a reading byte by byte: the same
 * lines with the same times come out wherever the reader came by, and the offset is that of the
 * first. */

#include "common/cleanup.h"
#include "daemon/logs/log-tail.h"
#include "tests/unit/unit.h"

#define ID 7
#define WRITES 3000

static const unsigned seeds[] = {1, 2, 3, 4, 99, 1234, 777777};

/* A line as it should come. */
typedef struct Wanted {
    LogStream stream;
    uint64_t offset, time_usec;
    char text[200];
} Wanted;

/* One stream, read byte by byte. */
typedef struct Model {
    Wanted line;
    size_t size;
    bool open, returned; /* returned: nothing but \r since the last line's end by \r */
} Model;

static Model models[LOG_STREAM_LONGRUN + 1];
static Wanted wanted[LOG_TAIL_LINES_MAX];
static size_t n_wanted;

static void model_open(Model *m, LogStream stream, uint64_t offset, uint64_t time_usec) {
    if (!m->open)
        m->line = (Wanted){.stream = stream, .offset = offset, .time_usec = time_usec};
    m->open = true;
}

static void model_close(Model *m) {
    MUST(n_wanted < ELEMENTSOF(wanted));
    wanted[n_wanted++] = m->line;
    m->open = false;
    m->size = 0;
}

static void model_byte(LogStream stream, char c, uint64_t offset, uint64_t time_usec) {
    Model *m = &models[stream];

    if (c == '\r') {
        if (m->open) {
            model_close(m);
            m->returned = true;
        }
    } else if (c == '\n') {
        if (!m->open && !m->returned)
            model_open(m, stream, offset, time_usec);
        if (m->open)
            model_close(m);
        m->returned = false;
    } else {
        model_open(m, stream, offset, time_usec);
        MUST(m->size + 1 < sizeof(m->line.text));
        m->line.text[m->size++] = c;
        m->returned = false;
    }
}

static void check(LogTail *tail, uint64_t size, bool final) {
    _cleanup_(log_lines_done) LogLines lines = {};
    uint64_t offset = UINT64_MAX;

    MUST(log_tail_read(tail, size, final, &lines) == 0);
    MUST(lines.count == n_wanted);
    for (size_t i = 0; i < n_wanted; i++) {
        ck_assert_str_eq(lines.lines[i].text, wanted[i].text);
        MUST(lines.lines[i].stream == wanted[i].stream);
        MUST(lines.lines[i].time_usec == wanted[i].time_usec);
        offset = MIN(offset, wanted[i].offset);
    }
    MUST(n_wanted == 0 || lines.offset == offset);
    n_wanted = 0;
}

/* A few bytes, ends of lines among them more often than in life. */
static size_t make_bytes(unsigned *seed, char *buf, size_t max) {
    static const char bytes[] = "abcdefghij\n\n\r\r";
    size_t n = (size_t)rand_r(seed) % max + 1;

    for (size_t i = 0; i < n; i++)
        buf[i] = bytes[(size_t)rand_r(seed) % strlen(bytes)];
    return n;
}

START_TEST(test_random_log) {
    unsigned seed = seeds[_i];
    uint64_t now = 1700000000 * USEC_PER_SEC;
    LogTail *tail = log_tail_new(unit_dir, ID);
    LogFile file;

    log_file_init(&file, unit_dir, ID, GIB);
    for (int i = 0; i < WRITES; i++) {
        LogStream stream = (LogStream)(rand_r(&seed) % LOG_STREAM_LONGRUN + 1);
        char buf[20];
        size_t n = make_bytes(&seed, buf, sizeof(buf));
        uint64_t offset = file.size;
        now += (uint64_t)rand_r(&seed) % (4 * USEC_PER_MSEC);
        log_file_append(&file, stream, now, buf, n);
        /* The index has one time for what comes together. */
        for (size_t k = 0; k < n; k++)
            model_byte(stream, buf[k], offset + k, file.last_time_usec);
        if (rand_r(&seed) % 4 == 0)
            check(tail, file.size, false);
    }
    for (size_t s = 0; s < ELEMENTSOF(models); s++)
        if (models[s].open)
            model_close(&models[s]);
    check(tail, file.size, true);
    ck_assert_uint_gt(file.size, WRITES * 5);
    log_file_done(&file);
    log_tail_free(tail);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("log-lines");
    TCase *t = tcase_create("log-lines");

    unit_use_dir(t);
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, test_random_log, 0, ELEMENTSOF(seeds));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
