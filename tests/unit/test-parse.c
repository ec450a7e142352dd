/* Numbers, switches, time spans and sizes: what is read, what is refused, and how they are shown.
 */

#include <errno.h>
#include <inttypes.h>

#include "common/parse.h"
#include "common/terminal-size.h"
#include "tests/unit/unit.h"

#define UNTOUCHED 4711 /* what a reader must leave behind when it refuses */

static const struct {
    const char *text;
    int r;
    uint64_t value;
} numbers[] = {
    {"0", 0, 0},
    {"1", 0, 1},
    {"007", 0, 7},
    {"4294967295", 0, UINT32_MAX},
    {"4294967296", 0, UINT64_C(4294967296)},
    {"18446744073709551615", 0, UINT64_MAX},
    {"00000000000000000000000000001", 0, 1},
    {"18446744073709551616", -ERANGE},
    {"18446744073709551620", -ERANGE}, /* overflows in the multiplication's last digit */
    {"99999999999999999999", -ERANGE},
    {"100000000000000000000000", -ERANGE},
    {NULL, -EINVAL},
    {"", -EINVAL},
    {" 1", -EINVAL},
    {"1 ", -EINVAL},
    {"1\n", -EINVAL},
    {"+1", -EINVAL},
    {"-1", -EINVAL},
    {"1.0", -EINVAL},
    {"0x10", -EINVAL},
    {"1e3", -EINVAL},
    {"\xd9\xa3", -EINVAL}, /* a digit, but not of ours */
    {"one", -EINVAL},
};

static const struct {
    const char *text;
    int r;
    TerminalSize size;
} terminals[] = {
    {"80x24", 0, {80, 24}},
    {"1x1", 0, {1, 1}},
    {"65535x65535", 0, {65535, 65535}},
    {"007x024", 0, {7, 24}},
    {"65536x1", -ERANGE},
    {"1x65536", -ERANGE},
    {"0x24", -ERANGE},
    {"80x0", -ERANGE},
    {"4294967296x1", -ERANGE},
    {NULL, -EINVAL},
    {"", -EINVAL},
    {"80", -EINVAL},
    {"x", -EINVAL},
    {"80x", -EINVAL},
    {"x24", -EINVAL},
    {"80x24x1", -EINVAL},
    {"80X24", -EINVAL},
    {" 80x24", -EINVAL},
    {"80x24\n", -EINVAL},
    {"-1x24", -EINVAL},
    {"00000000000080x24", -EINVAL}, /* longer than any that is one */
};

START_TEST(test_terminal_size) {
    TerminalSize size = {4711, 4712};

    ck_assert_int_eq(terminal_size_parse(terminals[_i].text, &size), terminals[_i].r);
    ck_assert_uint_eq(size.columns, terminals[_i].r < 0 ? 4711 : terminals[_i].size.columns);
    ck_assert_uint_eq(size.rows, terminals[_i].r < 0 ? 4712 : terminals[_i].size.rows);
}
END_TEST

START_TEST(test_u64) {
    uint64_t value = UNTOUCHED;

    ck_assert_int_eq(parse_u64(numbers[_i].text, &value), numbers[_i].r);
    ck_assert_uint_eq(value, numbers[_i].r < 0 ? UNTOUCHED : numbers[_i].value);
}
END_TEST

START_TEST(test_u32) {
    int r = numbers[_i].r == 0 && numbers[_i].value > UINT32_MAX ? -ERANGE : numbers[_i].r;
    uint32_t value = UNTOUCHED;

    ck_assert_int_eq(parse_u32(numbers[_i].text, &value), r);
    ck_assert_uint_eq(value, r < 0 ? UNTOUCHED : numbers[_i].value);
}
END_TEST

static const struct {
    const char *text;
    int r;
    bool value;
} switches[] = {
    {"yes", 0, true}, {"true", 0, true},   {"on", 0, true},   {"1", 0, true},
    {"no", 0, false}, {"false", 0, false}, {"off", 0, false}, {"0", 0, false},
    {NULL, -EINVAL},  {"", -EINVAL},       {"YES", -EINVAL},  {"y", -EINVAL},
    {"2", -EINVAL},   {"01", -EINVAL},     {"yes ", -EINVAL}, {"truely", -EINVAL},
};

START_TEST(test_bool) {
    bool both[] = {false, true};

    for (size_t i = 0; i < ELEMENTSOF(both); i++) {
        bool value = both[i];
        ck_assert_int_eq(parse_bool(switches[_i].text, &value), switches[_i].r);
        ck_assert_int_eq(value, switches[_i].r < 0 ? both[i] : switches[_i].value);
    }
}
END_TEST

static const struct {
    const char *text;
    int r;
    uint64_t usec;
} spans[] = {
    {"0", 0, 0},
    {"1", 0, USEC_PER_SEC},
    {"10", 0, 10 * USEC_PER_SEC},
    {"1.5", 0, 1500000},
    {".5s", 0, 500000},
    {"5.", 0, 5 * USEC_PER_SEC},
    {"1us", 0, 1},
    {"7usec", 0, 7},
    {"500ms", 0, 500000},
    {"3msec", 0, 3000},
    {"2s", 0, 2 * USEC_PER_SEC},
    {"2sec", 0, 2 * USEC_PER_SEC},
    {"1second", 0, USEC_PER_SEC},
    {"2 seconds", 0, 2 * USEC_PER_SEC},
    {"2m", 0, 2 * USEC_PER_MINUTE},
    {"2min", 0, 2 * USEC_PER_MINUTE},
    {"1minute", 0, USEC_PER_MINUTE},
    {"2minutes", 0, 2 * USEC_PER_MINUTE},
    {"3h", 0, 3 * USEC_PER_HOUR},
    {"3hr", 0, 3 * USEC_PER_HOUR},
    {"1hour", 0, USEC_PER_HOUR},
    {"2hours", 0, 2 * USEC_PER_HOUR},
    {"1d", 0, USEC_PER_DAY},
    {"1day", 0, USEC_PER_DAY},
    {"2days", 0, 2 * USEC_PER_DAY},
    {"1w", 0, 7 * USEC_PER_DAY},
    {"1week", 0, 7 * USEC_PER_DAY},
    {"2weeks", 0, 14 * USEC_PER_DAY},
    {"2h 30min", 0, 150 * USEC_PER_MINUTE},
    {"2h30min", 0, 150 * USEC_PER_MINUTE},
    {" \t1 h\t1 ", 0, USEC_PER_HOUR + USEC_PER_SEC},
    {"0.0000004s", 0, 0},
    {"0.0000006s", 0, 1}, /* to the nearest microsecond */
    {"infinity", 0, USEC_INFINITY},
    {" infinity", 0, USEC_INFINITY},
    {"292471y", -EINVAL},
    {"15250284w", 0, UINT64_C(15250284) * 7 * USEC_PER_DAY}, /* just below 2^63 */
    {"15250285w", -ERANGE},
    {"15250284w 15250284w 15250284w", -ERANGE},
    {"9999999999999999999999999999999999s", -ERANGE},
    {NULL, -EINVAL},
    {"", -EINVAL},
    {"  ", -EINVAL},
    {"s", -EINVAL},
    {".", -EINVAL},
    {".s", -EINVAL},
    {"1..5s", -EINVAL},
    {"1.2.3", -EINVAL},
    {"-1s", -EINVAL},
    {"+1s", -EINVAL},
    {"1x", -EINVAL},
    {"1S", -EINVAL},
    {"1e3", -EINVAL},
    {"0x10", -EINVAL},
    {"nan", -EINVAL},
    {"inf", -EINVAL},
    {"infinity 1s", -EINVAL},
    {"1s,", -EINVAL},
    {"5s -1s", -EINVAL},
    {"1\n2", -EINVAL},
    {"0000000000000000000000000000000000000000000000000000000000000001s", -EINVAL}, /* 64 digits */
    {"000000000000000000000000000000000000000000000000000000000000001s", 0, USEC_PER_SEC},
};

START_TEST(test_span) {
    uint64_t usec = UNTOUCHED;

    ck_assert_int_eq(parse_span(spans[_i].text, &usec), spans[_i].r);
    ck_assert_uint_eq(usec, spans[_i].r < 0 ? UNTOUCHED : spans[_i].usec);
}
END_TEST

static const struct {
    const char *text;
    int r;
    uint64_t bytes;
} sizes[] = {
    {"0", 0, 0},
    {"1", 0, 1},
    {"1B", 0, 1},
    {"2K", 0, 2 * KIB},
    {"2KiB", 0, 2 * KIB},
    {"500M", 0, 500 * MIB},
    {"3MiB", 0, 3 * MIB},
    {"1.5G", 0, 3 * GIB / 2},
    {"1GiB", 0, GIB},
    {"8 G", 0, 8 * GIB},
    {"2T", 0, 2 * TIB},
    {"2TiB", 0, 2 * TIB},
    {"0.5K", 0, 512},
    {"8388607T", 0, 8388607 * TIB},
    {"8388608T", -ERANGE}, /* 2^63 */
    {"9223372036854775808", -ERANGE},
    {NULL, -EINVAL},
    {"", -EINVAL},
    {"K", -EINVAL},
    {"1k", -EINVAL},
    {"1KB", -EINVAL},
    {"1P", -EINVAL},
    {"-1", -EINVAL},
    {"1G 1M", -EINVAL},
    {"1G1M", -EINVAL},
    {"1K.", -EINVAL},
    {"infinity", -EINVAL},
};

START_TEST(test_size) {
    uint64_t bytes = UNTOUCHED;

    ck_assert_int_eq(parse_size(sizes[_i].text, &bytes), sizes[_i].r);
    ck_assert_uint_eq(bytes, sizes[_i].r < 0 ? UNTOUCHED : sizes[_i].bytes);
}
END_TEST

static const struct {
    uint64_t usec;
    const char *text;
} shown_spans[] = {
    {0, "0ms"},
    {999, "0ms"},
    {1000, "1ms"},
    {999999, "999ms"},
    {USEC_PER_SEC, "1.0s"},
    {1250000, "1.2s"},
    {USEC_PER_MINUTE - 1, "59.9s"}, /* never "60.0s" */
    {USEC_PER_MINUTE, "1min 0s"},
    {USEC_PER_HOUR - 1, "59min 59s"},
    {USEC_PER_HOUR, "1h 0min"},
    {2 * USEC_PER_HOUR + 5 * USEC_PER_MINUTE, "2h 5min"},
    {USEC_PER_DAY - 1, "23h 59min"},
    {USEC_PER_DAY, "1d 0h"},
    {3 * USEC_PER_DAY + 7 * USEC_PER_HOUR, "3d 7h"},
    {USEC_INFINITY - 1, "213503982d 8h"},
    {USEC_INFINITY, "infinity"},
};

START_TEST(test_format_span) {
    char buf[FORMAT_MAX];

    ck_assert_ptr_eq(format_span(buf, shown_spans[_i].usec), buf);
    ck_assert_str_eq(buf, shown_spans[_i].text);
}
END_TEST

static const struct {
    uint64_t bytes;
    const char *text;
} shown_sizes[] = {
    {0, "0B"},
    {1, "1B"},
    {1023, "1023B"},
    {KIB, "1.0K"},
    {1536, "1.5K"},
    {MIB, "1.0M"},
    {8 * GIB, "8.0G"},
    {3 * TIB, "3.0T"},
    {1024 * TIB, "1.0P"},
    {1024 * 1024 * TIB, "1.0E"},
    {UINT64_MAX, "16.0E"},
};

START_TEST(test_format_size) {
    char buf[FORMAT_MAX];

    ck_assert_ptr_eq(format_size(buf, shown_sizes[_i].bytes), buf);
    ck_assert_str_eq(buf, shown_sizes[_i].text);
}
END_TEST

/* ---- fractions ---- */

#define BAD (-7.0)

static const struct {
    const char *text;
    double fraction;
} fractions[] = {
    {"0", 0},
    {"42", 0.42},
    {"1", 0.01}, /* a whole number is a percentage */
    {"100", 1},
    {"007", 0.07},
    {"42%", 0.42},
    {"0%", 0},
    {"100%", 1},
    {"12.5%", 0.125},
    {"0.42", 0.42},
    {"0.0", 0},
    {"1.0", 1},
    {"1.", 1},
    {".5", 0.5},
    {"1.0%", 0.01},
    {"0.0000000000000000000000000001", 1e-28}, /* 30 bytes */
    {"1.000000000000000000000000000000", BAD}, /* 32 */
    {"", BAD},
    {"%", BAD},
    {".", BAD},
    {".%", BAD},
    {"..5", BAD},
    {"0.4.2", BAD},
    {"101", BAD},
    {"101%", BAD},
    {"100.01%", BAD},
    {"1.01", BAD},
    {"42.0", BAD},
    {"99999999999999999999", BAD},
    {"-1", BAD},
    {"-0.1", BAD},
    {"+1", BAD},
    {" 42", BAD},
    {"42 ", BAD},
    {"42 %", BAD},
    {"42%%", BAD},
    {"42\r", BAD},
    {"0,42", BAD},
    {"1e-1", BAD},
    {"0x1p-1", BAD},
    {"nan", BAD},
    {"inf", BAD},
    {"half", BAD},
    {"42%of it", BAD},
};

START_TEST(test_fraction) {
    double value = BAD;

    ck_assert_int_eq(parse_fraction(fractions[_i].text, &value),
                     fractions[_i].fraction == BAD ? -EINVAL : 0);
    ck_assert_double_eq(value, fractions[_i].fraction);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("parse");
    TCase *t = tcase_create("reading");

    tcase_add_loop_test(t, test_terminal_size, 0, ELEMENTSOF(terminals));
    tcase_add_loop_test(t, test_u64, 0, ELEMENTSOF(numbers));
    tcase_add_loop_test(t, test_u32, 0, ELEMENTSOF(numbers));
    tcase_add_loop_test(t, test_bool, 0, ELEMENTSOF(switches));
    tcase_add_loop_test(t, test_span, 0, ELEMENTSOF(spans));
    tcase_add_loop_test(t, test_size, 0, ELEMENTSOF(sizes));
    tcase_add_loop_test(t, test_fraction, 0, ELEMENTSOF(fractions));
    suite_add_tcase(s, t);

    t = tcase_create("showing");
    tcase_add_loop_test(t, test_format_span, 0, ELEMENTSOF(shown_spans));
    tcase_add_loop_test(t, test_format_size, 0, ELEMENTSOF(shown_sizes));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
