/* All that a task says about its progress, brought together: bytes to lines, lines to sources,
 * sources to phases. */

#include <stdio.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/shim/progress-reader.h"
#include "daemon/shim/progress-scan.h"
#include "tests/unit/unit.h"

#define TEXT(literal) literal, sizeof(literal) - 1

static ProgressReader *reader;

static void set_up(void) {
    reader = progress_reader_new();
    ck_assert_ptr_nonnull(reader);
}

static void tear_down(void) {
    reader = progress_reader_free(reader);
}

static const ProgressState *state(void) {
    return progress_reader_state(reader);
}

static bool feed(const char *data, size_t size) {
    return progress_reader_feed(reader, LOG_STREAM_STDOUT, data, size);
}

/* ---- what is told ---- */

/* Every change, in the order in which it is told: [phase] where that is another one, source where
 * it is, thousandths, done when nothing else is known. */
typedef struct Story {
    char text[4096];
    size_t size;
    ProgressState last;
} Story;

static void append(Story *s, const char *text) {
    MUST(s->size + strlen(text) + 2 < sizeof(s->text));
    s->size += (size_t)sprintf(s->text + s->size, "%s%s", s->size > 0 ? " " : "", text);
}

static void tell(Story *s) {
    const ProgressState *now = state();
    char text[128];

    if (!streq(now->phase, s->last.phase)) {
        snprintf(text, sizeof(text), "[%s]", now->phase);
        append(s, text);
    } else {
        MUST(now->fraction >= s->last.fraction);
    }
    if (now->source != s->last.source)
        append(s, progress_source_to_string(now->source));
    if (now->fraction >= 0) {
        snprintf(text, sizeof(text), "%.0f", now->fraction * 1000);
        append(s, text);
    } else if (now->done > 0) {
        snprintf(text, sizeof(text), "%u!", (unsigned)now->done);
        append(s, text);
    }
    s->last = *now;
}

/* "0.5", "3/7", "7!" and "=phase", of them the phase first. */
static bool notify(const char *text) {
    ProgressReading r;
    unsigned done, total;

    progress_reading_init(&r, PROGRESS_SOURCE_NOTIFY);
    if (*text == '=') {
        size_t n = strcspn(++text, " ");
        memcpy(r.phase, text, n);
        text += n + (text[n] == ' ');
    }
    if (sscanf(text, "%u/%u", &done, &total) == 2) {
        r.done = done;
        r.total = total;
    } else if (strchr(text, '!')) {
        r.done = (uint64_t)atoi(text);
    } else if (*text) {
        r.fraction = atof(text);
    }
    return progress_reader_notify(reader, &r);
}

/* One line: of stderr behind "2>", of the command itself behind "N>", OSC 9;4 behind "O>". */
static bool feed_line(const char *line, size_t size) {
    LogStream stream = LOG_STREAM_STDOUT;
    char text[256];

    if (size > 2 && memcmp(line, "2>", 2) == 0)
        stream = LOG_STREAM_STDERR;
    if (size > 2 && memcmp(line, "N>", 2) == 0) {
        snprintf(text, sizeof(text), "%.*s", (int)size - 2, line + 2);
        return notify(text);
    }
    if (size > 2 && memcmp(line, "O>", 2) == 0)
        snprintf(text, sizeof(text), "\x1b]9;4;%.*s\x1b\\", (int)size - 2, line + 2);
    else
        snprintf(text, sizeof(text), "%.*s\n", (int)size, line + (stream != 1 ? 2 : 0));
    return progress_reader_feed(reader, stream, text, strlen(text));
}

#define CURL(percent, megabytes)                                                                   \
    percent " 8M " percent " " megabytes "M 0 0 1M 0 0:00:08 0:00:01 0:00:07 1M"

#define DD "1048576 bytes (1.0 MB, 1.0 MiB) copied, 1 s, 1.0 MB/s"

static const struct {
    const char *lines; /* divided by "|" */
    const char *story;
} stories[] = {
    {"", ""},
    {"hello|world 7", ""},
    /* an unsure source is believed after two readings that do not fall */
    {"10%", ""},
    {"10%|20%|30%", "percent 200 300"},
    {"10%|10%|30%", "percent 100 300"},
    {"50%|20%|30%", "percent 300"},
    {"[1/10] a|[2/10] b", "counter 200"},
    {"1 of 10|2 of 11|3 of 11", "counter 273"},
    {"0%|100%", ""}, /* too far to be believed at once */
    {"0%|40%|100%|100%", "percent 400 999"},

    /* within a phase it never runs backwards */
    {"10%|20%|19%|15%|30%", "percent 200 300"},
    {"50%|60%|45%|70%", "percent 600 700"},
    {"50%|60%|55%|56%|57%|58%|59%|59%|70%", "percent 600 700"},
    {"50%|60%|45%|46%|70%|45%|71%|46%|47%", "percent 600 700 710"},
    {"[5/10]|[6/10]|[5/10]|[7/10]", "counter 600 700"},
    /* there is more to do than was known */
    {"[5/10]|[6/10]|[7/20]|[8/20]|[12/20]|[13/20]", "counter 600 600 650"},
    /* something else is counted now and then */
    {"[41/100]|[42/100]|test 2/3|[43/100]|[44/100]|3/3|3/3|[45/100]", "counter 420 430 440 450"},
    {"shard 3/7|of 3/7|3/7 of|[4/100]|[5/100]|[6/100]", "counter 429 [part 2] 50 60"},
    {"[41/100]|[42/100]|2/3|3/3", "counter 420 [part 2] 999"},
    {"[99/100]|[100/100]|epoch 3/3|[1/100]|[2/100]", "counter 999 [part 2] 20"},
    /* one reading that is far off */
    {"3%|4%|100% of it|5%|6%", "percent 40 50 60"},

    /* what begins anew is the next phase */
    {"80%|100%|0%|1%|2%", "percent 999 [part 2] 10 20"},
    {"80%|100%|0%|100%|0%|100%", "percent 999"},
    {"80%|100%|0%|99%|1%|98%|2%|97%", "percent 999"},
    {"80%|100%|20%|30%|40%", "percent 999 [part 2] 300 400"},
    {"[9/10]|[10/10]|[1/7]|[2/7]", "counter 999 [part 2] 286"},
    {"[2/3]|[3/3]|[1/3]|[2/3]|[3/3]", "counter 999 [part 2] 667 999"},
    {"[9/10]|[10/10]|[11/500]|[12/500]", "counter 999 [part 2] 24"},
    {"80%|100%|0%|1%|99%|99%|0%|1%", "percent 999 [part 2] 10 990 [part 3] 10"},
    {"Receiving objects:  50% (5/10)|[6/10]|Resolving deltas:  10% (1/10)",
     "[Receiving objects] counter 500 600 [Resolving deltas] 100"},
    /* two that take turns are not told in turns */
    {"Receiving objects:  10% (1/10)|Resolving deltas:  10% (1/10)|Receiving objects:  20% (2/10)|"
     "Resolving deltas:  20% (2/10)|Receiving objects:  30% (3/10)|Resolving deltas:  30% (3/10)",
     "[Receiving objects] counter 100 [Resolving deltas] 100 200 300"},
    /* from anywhere to anywhere it takes longer */
    {"50%|60%|10%|11%|12%|13%|14%|15%", "percent 600 [part 2] 140 150"},

    /* a better source takes over, and what is shown waits for it */
    {"10%|20%|[1/10]|[2/10]|[3/10]", "percent 200 counter 300"},
    {"40%|50%|[1/10]|[2/10]|[3/10]|60%|[6/10]", "percent 500 counter 500 600"},
    {"10%|20%|100%|100%|0%|10%|20%|[1/50]|[2/50]|[3/50]",
     "percent 200 999 [part 2] 100 200 [part 3] counter 60"},
    {"10%|10%|[1/4]|[2/4]", "percent 100 counter 500"},
    /* what only counts has less to say than a fraction */
    {DD "|10%|20%|" DD, "counter 1048576! percent 200"},
    {"10%|20%|" DD "|30%", "percent 200 300"},
    /* the same number again and again is none */
    {"10%|20%|3/7|30%|3/7|40%|3/7|50%", "percent 200 300 400 500"},
    {"3/7|3/7|10%|20%|30%|3/7|40%", "counter 429 [part 2] percent 200 300 400"},
    {"10%|20%|O>1;10|30%|O>1;30", "percent 200 osc 200 300"},
    {"O>1;10|20%|30%|O>1;15", "osc 100 150"},
    /* parts with percentages of their own, inside of what is counted */
    {"file 1 of 4|10%|50%|99%|file 2 of 4|10%|11%|99%|99%|file 3 of 4|10%|11%",
     "percent 500 990 [part 2] 110 990 [part 3] counter 750"},
    /* a worse one takes over from one that is at its end */
    {"[9/10]|[10/10]|1%|2%|3%", "counter 999 [part 2] percent 30"},
    {"[1/3]|[2/3]|1%|50%|99%|[3/3]", "counter 667 999"},
    /* or is silent for more than a phase */
    {"[1/3]|[2/3]|1%|50%|90%|99%|1%|2%|3%", "counter 667 [part 2] percent 20 30"},

    {"[1/3]|[2/3]|40%|50%|80%|1%|2%|3%", "counter 667"}, /* of which this was none */

    /* two streams that both show how far they are */
    {"10%|2>40%|20%|2>41%|30%|2>42%", "percent 200 300"},
    {"98%|2>5%|99%|2>6%|100%|2>7%|2>8%|2>9%", "percent 990 999 [part 2] 80 90"},

    /* OSC 9;4 */
    {"O>1;0|O>1;50|O>1;100|O>0", "osc 0 500 999"},
    {"O>1;50|O>2|O>4|O>2;60|O>4;70", "osc 500 600 700"},
    {"O>3|O>1;10|O>3|O>1;5|O>1;6", "osc 100 [part 2] 50 60"},
    {"O>1;50|O>0|20%|30%|60%|61%", "osc 500 [part 2] percent 300 600 610"},
    {"O>1;50|O>0|45%|46%|60%|61%", "osc 500 percent 500 600 610"},
    {"O>1;50|O>3|10%|20%|30%|40%", "osc 500 [part 2] percent 300 400"},
    {"O>1;90|O>1;0|O>1;1", "osc 900 [part 2] 0 10"},
    {"O>1|O>1;|O>1;x|O>1;101|O>5;50|O>|O>1;-5|O>1;99999|O>1;1e3|O>1 ;5", ""},
    {"O>1;50;junk", "osc 500"},

    /* the command itself */
    {"N>0.5|10%|20%|N>0.6", "notify 500 600"},
    {"10%|20%|N>0.1|30%|N>0.3", "percent 200 notify 200 300"},
    {"N>3/7|N>9/7|1%|2%|1%|2%", "notify 429 999"},
    {"N>7!|N>5!|N>8!|50%|60%", "notify 7! 8!"},
    {"N>0.9|N>7!|N>0.1", "notify 900 [part 2] 100"},
    {"N>nan|N>2|N>-1|N>0.5", "notify 500"},
    {"N>=a 0.5|N>=b|N>0.1|N>=b 0.2|N>=c 1/2", "[a] notify 500 [b] 100 200 [c] 500"},
    {"N>0.5|N>=b|N>0.1", "notify 500 [b] 100"},
    {"N>1.0|N>0.1|N>0.2", "notify 999 [part 2] 100 200"},
    /* which may name the phases, and leave the numbers to others */
    {"N>=get|10%|20%|100%|100%|N>=unpack|0%|1%|2%",
     "[get] notify percent 200 999 [unpack] notify percent 0 10 20"},
    {"N>=get|10%|20%|100%|100%|0%|1%", "[get] notify percent 200 999 [get (2)] 10"},
    {"N>=a|Receiving objects:  50% (5/10)", "[a] notify counter 500"},
    {"10%|20%|100%|100%|N>0.1|N>0.2", "percent 200 999 [part 2] notify 100 200"},
    /* a run that begins ends the phase, however far it has got when it is seen first */
    {"  % Total    % Received % Xferd|" CURL("25", "2") "|" CURL("87", "7") "|" CURL("50", "4"),
     "counter 250 875"},
    {"  % Total    % Received % Xferd|" CURL("25", "2") "|" CURL(
         "87", "7") "|"
                    "  % Total    % Received % Xferd|" CURL("50", "4") "|" CURL("75", "6"),
     "counter 250 875 [part 2] 500 750"},
};

START_TEST(test_stories) {
    Story story = {.last.fraction = -1};

    for (const char *line = stories[_i].lines; *line;) {
        size_t size = strcspn(line, "|");
        ProgressState before = *state();
        bool changed = feed_line(line, size);
        MUST(changed == (memcmp(&before, state(), sizeof(before)) != 0));
        if (changed)
            tell(&story);
        line += size + (line[size] == '|');
    }
    ck_assert_str_eq(story.text, stories[_i].story);
}
END_TEST

/* ---- lines ---- */

#define LONG_A                                                                                     \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_LINE                                                                                  \
    LONG_A LONG_A LONG_A LONG_A LONG_A LONG_A LONG_A LONG_A LONG_A LONG_A LONG_A LONG_A

static const struct {
    const char *data;
    size_t size;
    int thousandths; /* when all has come, and has settled; -1: not known */
} inputs[] = {
    {TEXT("10%\n20%\n"), 200},
    {TEXT("10%\r20%\r"), 200},
    {TEXT("\r10%\r20%"), 200},
    {TEXT("10%\r\n20%\r\n"), 200},
    {TEXT("\x1b[1G10%\x1b[1G20%"), 200},
    {TEXT("10%\x1b[K20%\x1b[K"), 200},
    {TEXT("\x1b[5;1H10%\x1b[5;1H20%"), 200},
    {TEXT("\x1b[2A10%\x1b[2B20%"), 200},
    {TEXT("\x1b"
          "7\x1b[24;0f10%\x1b"
          "8\x1b"
          "7\x1b[24;0f20%\x1b"
          "8"),
     200},
    {TEXT("\x1b[1m1\x1b[31m0%\x1b[0m\n\x1b[32m2\x1b[0m0\x1b[1m%\n"), 200}, /* colours end none */
    {TEXT("10%\x1b"
          "8"
          "20%\x1b"
          "8"),
     200},
    {TEXT("10%\x1b]0;title 90%\a\n20%\n"), 200},
    {TEXT("10%\b\b\b20%\b\b\b30%"), 300},
    {TEXT("at\x1b[3C10%\nat\x1b[3C20%\n"), 200},
    {TEXT("1\0000\a%\n20%\n"), 200},
    {TEXT("\x1b]9;4;1;30\a"), 300},
    {TEXT("\x1b]9;4;1;30\x1b\\"), 300},
    {TEXT("\x1b]9;4;1;30\x9c"), 300},
    {TEXT("\x1b]9;4;1;30\xc2\x9c"), 300},
    {TEXT("\x1b]9;4;1;30;\a"), 300},
    {TEXT("\x1b]9;4;1;30\n"), -1},
    {TEXT("\x1b]9;4;1;30"), -1},
    {TEXT("\x1b]9;4;1;30\x18\a"), -1},
    {TEXT("\x1b]9;4;1;30" LONG_LINE "\a"), -1},
    {TEXT("\x1b]9;4;1;30;" LONG_LINE "\a"), -1},
    {TEXT("\x1b]9;5;1;30\a"), -1},
    {TEXT("\x1bP9;4;1;30\a"), -1},
    /* of a long line the end is read, whatever it was cut in */
    {TEXT(LONG_LINE " 10%\n" LONG_LINE " 20%\n"), 200},
    {TEXT(LONG_LINE "10%\n" LONG_LINE "20%\n"), -1},
    {TEXT("10% " LONG_LINE "\n20% " LONG_LINE "\n"), -1},
    {TEXT(""), -1},
};

static void check_input(size_t i) {
    progress_reader_settle(reader);
    MUST(!progress_reader_is_unsettled(reader));
    int shown = state()->fraction < 0 ? -1 : (int)(state()->fraction * 1000 + 0.5);
    if (shown != inputs[i].thousandths)
        ck_abort_msg("input %zu: %d, not %d", i, shown, inputs[i].thousandths);
}

START_TEST(test_inputs) {
    feed(inputs[_i].data, inputs[_i].size);
    check_input((size_t)_i);
}
END_TEST

/* However it is cut into pieces. */
START_TEST(test_pieces) {
    const char *data = inputs[_i].data;
    size_t size = inputs[_i].size;

    for (size_t step = 1; step < 7 && step < size; step++) {
        for (size_t at = 0; at < size; at += step)
            feed(data + at, MIN(step, size - at));
        check_input((size_t)_i);
        tear_down();
        set_up();
    }
}
END_TEST

/* What has not ended may be half a number: it waits until nothing more comes. */
START_TEST(test_unsettled) {
    MUST(feed(TEXT("\r[1/1000]\r[2/1000]\r[3/10")));
    MUST(state()->done == 2);
    MUST(progress_reader_is_unsettled(reader));
    feed(TEXT("00]"));
    MUST(progress_reader_settle(reader));
    MUST(state()->done == 3 && state()->total == 1000);
    MUST(!progress_reader_is_unsettled(reader));
    MUST(!progress_reader_settle(reader)); /* once */
    feed(TEXT("\r"));
    MUST(!progress_reader_is_unsettled(reader));
    MUST(state()->done == 3);
}
END_TEST

/* What a full buffer has cut goes on when the next is full, however long that takes. */
START_TEST(test_full_buffer) {
    char data[4096];

    memset(data, '.', sizeof(data));
    memcpy(data, TEXT("[3/1000]\n[4/1000]\n"));
    memcpy(data + sizeof(data) - 6, "\n[5/10", 6);
    MUST(feed(data, sizeof(data)));
    MUST(!progress_reader_is_unsettled(reader));
    MUST(!progress_reader_settle(reader));
    MUST(state()->done == 4);
    MUST(feed(TEXT("00]\n")));
    MUST(state()->done == 5);
}
END_TEST

/* ---- much of it ---- */

/* Of a large piece the last lines alone. */
START_TEST(test_large_piece) {
    size_t size = 128 * KIB;
    _cleanup_free_ char *data = malloc(size);

    for (size_t i = 0; i < size; i += 8)
        memcpy(data + i, "log 77%\n", 8);
    memcpy(data + size - 24, "log 10%\nlog 20%\nlog 30%\n", 24);
    feed(TEXT("5%\n6%\n"));
    MUST(feed(data, size));
    ck_assert_int_eq((int)(state()->fraction * 1000), 300);
}
END_TEST

/* The line in which it begins has no head. */
START_TEST(test_headless) {
    size_t size = 128 * KIB;
    _cleanup_free_ char *data = malloc(size);

    memset(data, 'x', size);
    feed(TEXT("5%\n6%\n"));
    feed(data, size);
    feed(TEXT(" 99%\n99%\r"));
    ck_assert_int_eq((int)(state()->fraction * 1000), 60);
    feed(TEXT("7%\n"));
    ck_assert_int_eq((int)(state()->fraction * 1000), 70);
}
END_TEST

/* A sequence that began before it, or in what was left out, is forgotten. */
START_TEST(test_skip) {
    feed(TEXT("5%\n6%\n\x1b]0;title"));
    progress_reader_skip(reader, LOG_STREAM_STDOUT, 1000);
    MUST(!progress_reader_is_unsettled(reader));
    feed(TEXT("0%\n7%\n8%\n"));
    ck_assert_int_eq((int)(state()->fraction * 1000), 80);
    feed(TEXT("\x1b["));
    progress_reader_skip(reader, LOG_STREAM_STDOUT, 1000);
    feed(TEXT("K9%\n"));
    ck_assert_int_eq((int)(state()->fraction * 1000), 80);
    feed(TEXT("1"));
    progress_reader_skip(reader, LOG_STREAM_STDERR, 1000); /* the other one goes on */
    feed(TEXT("0%\n"));
    ck_assert_int_eq((int)(state()->fraction * 1000), 100);
}
END_TEST

static void feed_many(char c, size_t n) {
    while (n-- > 0)
        feed(&c, 1);
}

/* Where it is cut, there may be half a number; also when a part of it is taken back. */
START_TEST(test_cut_number) {
    for (int i = 0; i < 4; i++) {
        feed_many('a', PROGRESS_LINE_MAX - 1);
        feed(i % 2 ? "16/30 " : "15/30 ", 6);
        feed_many('b', i < 2 ? PROGRESS_LINE_MAX - 5 : PROGRESS_LINE_MAX - 4);
        feed(i < 2 ? "" : "\b\bc", i < 2 ? 0 : 3);
        feed(TEXT("\n"));
        ck_assert_int_eq(state()->source, PROGRESS_SOURCE_NONE);
    }
}
END_TEST

START_TEST(test_endless_line) {
    char data[4096];

    memset(data, '7', sizeof(data));
    for (size_t i = 0; i < 16 * MIB; i += sizeof(data))
        MUST(!feed(data, sizeof(data)));
    MUST(!feed(TEXT("%\n%\n")));
    feed(TEXT("10%\n20%\n"));
    ck_assert_int_eq((int)(state()->fraction * 1000), 200);
}
END_TEST

/* ---- names ---- */

static void name(const char *phase) {
    ProgressReading r;

    progress_reading_init(&r, PROGRESS_SOURCE_NOTIFY);
    memset(r.phase, 0, sizeof(r.phase));
    memcpy(r.phase, phase, MIN(strlen(phase), sizeof(r.phase)));
    progress_reader_notify(reader, &r);
    MUST(utf8_is_valid(state()->phase));
    MUST(strlen(state()->phase) < PROGRESS_PHASE_MAX);
}

START_TEST(test_names) {
    name("pri\xc3\xa8re");
    ck_assert_str_eq(state()->phase, "pri\xc3\xa8re");
    name("a\xff"
         "b\x1b[0m");
    ck_assert_str_eq(state()->phase, "a?b?[0m");
    /* 64 bytes without an end, the last one the first half of a character. */
    name("0123456789012345678901234567890123456789012345678901234567890é");
    ck_assert_uint_eq(strlen(state()->phase), 63);
    name("01234567890123456789012345678901234567890123456789012345678901é");
    ck_assert_uint_eq(strlen(state()->phase), 62);
    /* and with its number */
    for (int i = 0; i < 3; i++)
        feed(TEXT("10%\n99%\n99%\n1%\n2%\n"));
    ck_assert_str_eq(state()->phase,
                     "01234567890123456789012345678901234567890123456789012345678 (4)");
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("progress-reader");
    TCase *t = tcase_create("progress-reader");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, test_stories, 0, ELEMENTSOF(stories));
    tcase_add_loop_test(t, test_inputs, 0, ELEMENTSOF(inputs));
    tcase_add_loop_test(t, test_pieces, 0, ELEMENTSOF(inputs));
    tcase_add_test(t, test_unsettled);
    tcase_add_test(t, test_full_buffer);
    tcase_add_test(t, test_large_piece);
    tcase_add_test(t, test_headless);
    tcase_add_test(t, test_skip);
    tcase_add_test(t, test_cut_number);
    tcase_add_test(t, test_endless_line);
    tcase_add_test(t, test_names);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
