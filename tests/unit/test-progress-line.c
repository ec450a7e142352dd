/* Lines of output: what says how far a program is, and what only looks so. */

#include <stdio.h>

#include "daemon/shim/progress-line.h"
#include "tests/unit/unit.h"

static ProgressLines lines;

static bool read_line(const char *line, ProgressReading *ret) {
    return progress_line_read(&lines, LOG_STREAM_STDOUT, line, strlen(line), ret);
}

static void forget_lines(void) {
    lines = (ProgressLines){0};
}

/* ---- what every program may print ---- */

#define NONE PROGRESS_SOURCE_NONE
#define PERCENT PROGRESS_SOURCE_PERCENT
#define COUNTER PROGRESS_SOURCE_COUNTER

/* clang-format off */
static const struct {
    const char *line;
    ProgressSource source;
    double fraction;
    uint64_t done, total;
    bool bytes;
} generic[] = {
    /* counters */
    {"[3/10] Compiling", COUNTER, 0.3, 3, 10, false},
    {"[ 3/10] Compiling", COUNTER, 0.3, 3, 10, false},
    {"[3 of 10] Compiling", COUNTER, 0.3, 3, 10, false},
    {"[  12 / 340] Compiling", COUNTER, 12 / 340., 12, 340, false},
    {"[1,234 / 5,678] actions", COUNTER, 1234 / 5678., 1234, 5678, false},
    {"(1/4) installing", COUNTER, 0.25, 1, 4, false},
    {"12/340 tests", COUNTER, 12 / 340., 12, 340, false},
    {" 1/34 Test #1: first ......", COUNTER, 1 / 34., 1, 34, false},
    {"    Building [=====>     ] 12/340: name, other", COUNTER, 12 / 340., 12, 340, false},
    {"Step 3/10 : RUN make", COUNTER, 0.3, 3, 10, false},
    {"epoch=3/10", COUNTER, 0.3, 3, 10, false},
    {"Epoch 1/10 [50/100]", COUNTER, 0.1, 1, 10, false},
    {"3/10...", COUNTER, 0.3, 3, 10, false},
    {"Now 3/10.", COUNTER, 0.3, 3, 10, false},
    {"Downloading 3 of 10", COUNTER, 0.3, 3, 10, false},
    {"Progress 3 of 10", COUNTER, 0.3, 3, 10, false},
    {"12 out of 34 files", COUNTER, 12 / 34., 12, 34, false},
    {"Frame 007/100", COUNTER, 0.07, 7, 100, false},
    {"0/10", COUNTER, 0, 0, 10, false},
    {"10/10", COUNTER, 1, 10, 10, false},
    {"1,234,567/2,000,000", COUNTER, 0.6172835, 1234567, 2000000, false},
    {"1000000000/1000000000", COUNTER, 1, 1000000000, 1000000000, false},
    {"███░░ 45/100", COUNTER, 0.45, 45, 100, false},
    {"███45/100", COUNTER, 0.45, 45, 100, false},
    /* amounts */
    {"12.3MB/45.6MB", COUNTER, 12.3 / 45.6, 12300000, 45600000, true},
    {"12.5 KiB / 45 MiB, at last", COUNTER, 12800 / 47185920., 12800, 47185920, true},
    {"1.2/3.4 MB 5.6 MB/s eta 0:00:01", COUNTER, 1.2 / 3.4, 1200000, 3400000, true},
    {"1,2/3,4 MB 5,6 MB/s", COUNTER, 1.2 / 3.4, 1200000, 3400000, true},
    {"2 MB of 8 MB", COUNTER, 0.25, 2000000, 8000000, true},
    {"512/2048 bytes", COUNTER, 0.25, 512, 2048, true},
    {"[1/3 files][ 12.0 MiB/ 48.0 MiB]  25% Done", COUNTER, 0.25, 12582912, 50331648, true},
    {"1G/4G", COUNTER, 0.25, GIB, 4 * GIB, true},
    /* percentages */
    {"42%", PERCENT, 0.42},
    {"42.5 %", PERCENT, 0.425},
    {"42,5 %", PERCENT, 0.425},
    {"42 percent", PERCENT, 0.42},
    {"0%", PERCENT, 0},
    {"100%", PERCENT, 1},
    {"test_name.py ........      [ 45%]", PERCENT, 0.45},
    {"Reading....45%", PERCENT, 0.45},
    {"[45.0%] name", PERCENT, 0.45},
    {"<====-----> 45% EXECUTING [5s]", PERCENT, 0.45},
    {"(45%)", PERCENT, 0.45},
    {"about 45%, 3 min left", PERCENT, 0.45},
    {"45% done, 3 min left", PERCENT, 0.45},
    {"45% complete (cpu 80%)", PERCENT, 0.45},
    {"cpu 80%, 45% of all", PERCENT, 0.45},
    {"45% rate 1.2 MB/s", PERCENT, 0.45},
    {"\x80\xff 45% \x01", PERCENT, 0.45},
};

static const char *const none[] = {
    "",
    " ",
    "%",
    "/",
    "hello",
    "12",
    /* what cannot be */
    "0/0",
    "7/3",
    "24/7",
    "1/1",
    "-3/10",
    "3/-10",
    "-5%",
    "150%",
    "100.1%",
    "NaN%",
    "nan/nan",
    "inf%",
    "1e308%",
    "1e3/1e4",
    "99999999999999999999999999999999/99999999999999999999999999999999",
    "1/99999999999999999999999999999999",
    "9999999E/9999999E",
    "0.00000000000000000000000000000000000001%",
    "3/10/20",
    "3//10",
    "5-10%",
    "50%%",
    /* dates and times */
    "11/21 18:13:32 it began",
    "11/21/2026",
    "2026/11/21",
    "Sat 11/21",
    "18:13 11/21",
    "11/21 2026",
    "12:3/10",
    "3/10:30",
    /* paths, addresses, versions */
    "GET /a/1/2 HTTP/1.1",
    "a/1/2",
    "/1/2",
    "10.0.0.0/24",
    "10.0.0.1/32 via 10.0.0.2",
    "v1.2/3",
    "1.5/3",
    "80/tcp",
    "x3/10",
    "3/10x",
    "http://host/a%20b 3%20name",
    "1.2.3/4.5.6",
    "#define X 1/2_3",
    /* fractions */
    "1/2 MB",
    "3/4 GiB free",
    "1/2 MB/s",
    /* numbers of something */
    "attempt 2 of 5 failed",
    "11/21 18:13:32 Retry: 2/5",
    "[worker 1/4] begins",
    /* percentages of something else */
    "Hit rate: 45%",
    "load 45%",
    "100% packet loss",
    "CPU 80%",
    "cpu: 80%",
    "80% cpu",
    "Memory usage: 45%",
    "45% of test remaining",
    "45% faster",
    "/dev/sda1        254G   80G  171G  32% /home",
    "Lines executed:85.71% of 7",
    "coverage: 80.0% of statements",
    "adding: name (deflated 45%)",
    "Need to get 123 kB/456 kB of archives.",
    "2026-11-21 18:26:24 (602 KB/s) - ‘big.bin’ saved [2457600/2457600]",
    "1a2b3c4d: Downloading [==>   ]  12.3MB/45.6MB",
    "text                 :  9.37%   (  6.16 MiB =>    591 KiB, text.zst)",
    "Transferred:            1 / 4, 25%",
    " *              name: 32% /488.281Ki, 159.783Ki/s, 2s",
};
/* clang-format on */

static void check_reading(const ProgressReading *r, const char *line, ProgressSource source,
                          double fraction, uint64_t done, uint64_t total, bool bytes) {
    ck_assert_msg(r->source == source, "%s: source %s", line, progress_source_to_string(r->source));
    ck_assert_msg(r->fraction > fraction - 1e-6 && r->fraction < fraction + 1e-6, "%s: %f", line,
                  r->fraction);
    ck_assert_msg(r->done == done && r->total == total, "%s: %lu of %lu", line, r->done, r->total);
    ck_assert_msg(r->bytes == bytes, "%s: bytes", line);
}

START_TEST(test_generic) {
    ProgressReading r;

    ck_assert_msg(read_line(generic[_i].line, &r), "%s", generic[_i].line);
    check_reading(&r, generic[_i].line, generic[_i].source, generic[_i].fraction, generic[_i].done,
                  generic[_i].total, generic[_i].bytes);
    ck_assert_str_eq(r.phase, "");
}
END_TEST

START_TEST(test_none) {
    ProgressReading r;

    ck_assert_msg(!read_line(none[_i], &r), "%s: %s %f", none[_i],
                  progress_source_to_string(r.source), r.fraction);
}
END_TEST

/* ---- single programs ---- */

/* clang-format off */
static const struct {
    const char *line;
    const char *phase;
    ProgressSource source;
    double fraction;
    uint64_t done, total;
    bool bytes;
} forms[] = {
    {"remote: Counting objects:  45% (9/20)", "Counting objects", COUNTER, 0.45, 9, 20, false},
    {"Receiving objects:  45% (9/20), 1.20 MiB | 3.40 MiB/s", "Receiving objects", COUNTER, 0.45, 9, 20, false},
    {"Empfange Objekte: 100% (20/20), 1.20 MiB | 3.40 MiB/s, fertig.", "Empfange Objekte", COUNTER, 1, 20, 20, false},
    {"[ 45%] Building C object CMakeFiles/a.dir/1/2.c.o", "", PERCENT, 0.45, 0, 0, false},
    {"[100%] Built target all", "", PERCENT, 1, 0, 0, false},
    {"  1,234,567  45%  123.45MB/s    0:00:12 (xfr#12, to-chk=34/100)", "", PERCENT, 0.45, 1234567, 0, true},
    {"  1.234.567  45%  123,45MB/s    0:00:12", "", PERCENT, 0.45, 1234567, 0, true},
    {"         32   0%    0.00kB/s    0:00:00  ", "", PERCENT, 0, 32, 0, true},
    {"      1.50M  45%    1.23MB/s    0:00:12 (xfr#1, ir-chk=1034/1100)", "", PERCENT, 0.45, 1572864, 0, true},
    {"52428800 bytes (52 MB, 50 MiB) copied, 1 s, 52.4 MB/s", "", COUNTER, -1, 52428800, 0, true},
    {"52428800 Bytes (52 MB, 50 MiB) kopiert, 1 s, 52,4 MB/s", "", COUNTER, -1, 52428800, 0, true},
    {"512 bytes copied, 1.0 s, 0.5 kB/s", "", COUNTER, -1, 512, 0, true},
    {"1.50MiB 0:00:10 [4.52MiB/s] [====>     ] 45% ETA 0:00:12", "", PERCENT, 0.45, 1572864, 0, true},
    {"1.50MiB 0:00:10 [4.52MiB/s] [ <=>      ]", "", COUNTER, -1, 1572864, 0, true},
    {"backup: 1.50MiB 0:00:10 [4.52MiB/s] [====>     ] 45%", "", PERCENT, 0.45, 1572864, 0, true},
    {"#######                                             14.4%", "", PERCENT, 0.144, 0, 0, false},
    {"#                                                    1.4%", "", PERCENT, 0.014, 0, 0, false},
    {"#################################################### 100.0%", "", PERCENT, 1, 0, 0, false},
    {"  1050K .......... .......... .......... .......... .......... 45% 1.2M 3s", "", PERCENT, 0.45, 0, 0, false},
    {"  1050K ,,,,,,,,,, ,,,,,,.... .......... .......... ..........100% 1.2M=3s", "", PERCENT, 1, 0, 0, false},
    {"32768K ........ ........ ........ ........ ........ ........ 45%  1.2M 3s", "", PERCENT, 0.45, 0, 0, false},
    {"big.bin              45%[====>               ] 1.50M   1.23MB/s    eta 1s", "", PERCENT, 0.45, 1572864, 0, true},
    {" 45.2 %        10.1 MiB / 22.3 MiB = 0.453   4.5 MiB/s       0:05     0:06", "", PERCENT, 0.452, 0, 0, false},
    {" 45,2 %        10,1 MiB / 22,3 MiB = 0,453   4,5 MiB/s       0:05     0:06", "", PERCENT, 0.452, 0, 0, false},
    {"  --- %        10.1 MiB / 1.5 MiB = 0.453   4.5 MiB/s       0:05", "", COUNTER, -1, 1572864, 0, true},
    {"Read: 25.0 MiB /  100 MiB ==> 38%", "", COUNTER, 0.25, 26214400, 104857600, true},
    {"Compress: 2/ 5 files. Current: name Read: 25 MB / 100 MB ==> 38%", "", COUNTER, 0.25, 25000000, 100000000, true},
    {"(L3) Buffered: 1.50 MiB - Consumed: 1.50 MiB - Compressed: 17 KiB => 38.1%", "", COUNTER, -1, 1572864, 0, true},
    {"dlstatus:1:45.5000:Retrieving file 1 of 3 (1s remaining)", "Downloading", PERCENT, 0.455, 0, 0, false},
    {"pmstatus:tree:45.5000:Unpacking tree (amd64)", "Installing", PERCENT, 0.455, 0, 0, false},
    {"45% [1 name 123 kB/456 kB 27%]", "Downloading", PERCENT, 0.45, 0, 0, false},
    {"0% [Waiting for headers]", "Downloading", PERCENT, 0, 0, 0, false},
    {"Progress: [ 45%] [##########............]", "Installing", PERCENT, 0.45, 0, 0, false},
    {"(Reading database ... 45%", "Reading database", PERCENT, 0.45, 0, 0, false},
    {"Reading package lists... 45%", "Reading package lists", PERCENT, 0.45, 0, 0, false},
    {"Paketlisten werden gelesen... 45%", "Paketlisten werden gelesen", PERCENT, 0.45, 0, 0, false},
    {" 45%|████▌     | 9/20 [00:01<00:01, 44.9it/s]", "", COUNTER, 0.45, 9, 20, false},
    {"Epoch 1:  45%|████▌     | 9/20 [00:01<00:01, 44.9it/s, loss=1/2]", "Epoch 1", COUNTER, 0.45, 9, 20, false},
    {"loss=0.12:  45%|████▌     | 9/20 [00:01<00:01, 44.9it/s]", "", COUNTER, 0.45, 9, 20, false},
    {"  5%|#2        | 1.00M/20.0M [00:01<00:01, 4.49MB/s]", "", COUNTER, 0.05, MIB, 20 * MIB, true},
    {"Transferred:   	      512 KiB / 2 MiB, 25%, 607.812 KiB/s, ETA 2s", "", COUNTER, 0.25, 512 * KIB, 2 * MIB, true},
    {" *        x: 36% /878.9Ki, 0/s, -Transferred:   	      512 KiB / 2 MiB, 25%, 0 B/s, ETA -", "", COUNTER, 0.25, 512 * KIB, 2 * MIB, true},
    {"[0:12] 45.00%  12 files 3.4 MiB, total 34 files 5.6 MiB, 0 errors ETA 0:15", "", PERCENT, 0.45, 0, 0, false},
    {"[#2089b0 10MiB/40MiB(25%) CN:1 DL:1.2MiB ETA:27s]", "", COUNTER, 0.25, 10 * MIB, 40 * MIB, true},
    {"[download]  45.2% of   12.34MiB at  1.23MiB/s ETA 00:05", "", PERCENT, 0.452, 0, 0, false},
    {"Encoding: task 1 of 2, 45.25 % (100 fps)", "task 1 of 2", PERCENT, 0.4525, 0, 0, false},
    {"12345/49380 kB (25%), 0/1 tablespace", "", COUNTER, 0.25, 12345, 49380, false},
};
/* clang-format on */

START_TEST(test_form) {
    ProgressReading r;

    ck_assert_msg(read_line(forms[_i].line, &r), "%s", forms[_i].line);
    check_reading(&r, forms[_i].line, forms[_i].source, forms[_i].fraction, forms[_i].done,
                  forms[_i].total, forms[_i].bytes);
    ck_assert_str_eq(r.phase, forms[_i].phase);
}
END_TEST

/* Names that are none: not UTF-8, with controls, too long, with values that change. */
START_TEST(test_no_name) {
    static const char *const names[] = {
        "\xff\xfe",  "a\x01z",
        "loss=3",    "at 0.25",
        "50% of it", "a name that is so long that it cannot be the name of what is done",
    };
    ProgressReading r;
    char line[256];

    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        snprintf(line, sizeof(line), "%s:  45%% (9/20)", names[i]);
        ck_assert_msg(read_line(line, &r), "%s", line);
        ck_assert_str_eq(r.phase, "");
    }
}
END_TEST

/* Whole numbers alone are sure when no other program prints them so. */
START_TEST(test_sure) {
    ProgressReading r;

    ck_assert(read_line("45%", &r) && !r.sure);
    ck_assert(read_line("3/10", &r) && !r.sure);
    ck_assert(read_line("45% [=====     ]", &r) && !r.sure);
    ck_assert(read_line("Working... 45%", &r) && !r.sure);
    ck_assert(read_line("pmstatus:tree:45.5000:Unpacking tree (amd64)", &r) && r.sure);
    ck_assert(read_line("[ 45%] Building", &r) && r.sure);
}
END_TEST

/* ---- programs that say it in several lines ---- */

#define CURL_HEAD "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current"

START_TEST(test_curl) {
    static const char row[] =
        " 25 8192k   25 2048k    0     0   401k      0  0:00:06  0:00:01  0:00:05  400k";
    ProgressReading r;

    ck_assert(!read_line(row, &r)); /* without the head it is a table of anything */
    ck_assert(!read_line(CURL_HEAD, &r));
    ck_assert(!read_line("                                 Dload  Upload   Total", &r));
    ck_assert(!read_line(
        "  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0", &r));
    ck_assert(read_line(row, &r));
    check_reading(&r, row, COUNTER, 0.25, 2 * MIB, 8 * MIB, true);
    ck_assert(r.sure && r.begins);
    ck_assert(read_line(row, &r) && !r.begins);
    /* The total is not known; an upload; the answer to one that is over. */
    ck_assert(read_line("  0     0    0 2048k    0     0   401k      0 --:--:--  0:00:01", &r));
    check_reading(&r, "unknown total", COUNTER, -1, 2 * MIB, 0, true);
    ck_assert(read_line(" 25 8192k    0     0   25 2048k      0   401k  0:00:06  0:00:01", &r));
    check_reading(&r, "upload", COUNTER, 0.25, 2 * MIB, 8 * MIB, true);
    ck_assert(read_line("100 8192k  100     3  100 8192k      0   401k  0:00:06  0:00:01", &r));
    check_reading(&r, "answer", COUNTER, 1, 8 * MIB, 8 * MIB, true);
    /* Other lines in between, as what curl writes to stdout on a terminal. */
    ck_assert(!read_line("hello 1 2 3", &r));
    ck_assert(read_line(row, &r));
    ck_assert(!read_line("250 8192k   25 2048k    0     0   401k      0  0:00:06  0:00:01", &r));
    ck_assert(!read_line(" 25 8192k   25 2048k    0", &r));
}
END_TEST

START_TEST(test_curl_parallel) {
    static const char row[] = " 25 --  2048k     0     3     1   0:00:10  0:00:07  0:00:03  349k";
    ProgressReading r;

    ck_assert(!read_line(row, &r));
    ck_assert(!read_line("DL% UL%  Dled  Uled  Xfers  Live Total     Current  Left    Speed", &r));
    ck_assert(!read_line("--  --      0     0     3     3  --:--:-- --:--:-- --:--:--     0", &r));
    ck_assert(read_line("--  --  1024k     0     3     3  --:--:-- --:--:-- --:--:--     0", &r));
    check_reading(&r, "unknown", COUNTER, -1, MIB, 0, true);
    ck_assert(r.sure && r.begins);
    ck_assert(read_line(row, &r));
    check_reading(&r, row, COUNTER, 0.25, 2 * MIB, 0, true);
    ck_assert(r.sure && !r.begins);
    ck_assert(read_line("--   25     0 2048k     3     1   0:00:10  0:00:07  0:00:03  349k", &r));
    check_reading(&r, "upload", COUNTER, 0.25, 2 * MIB, 0, true);
    ck_assert(!read_line("250 --  2048k     0     3     1   0:00:10  0:00:07  0:00:03", &r));
    ck_assert(!read_line("-- -- -- -- -- -- -- -- -- -- -- -- -- -- --", &r));
}
END_TEST

START_TEST(test_tap) {
    ProgressReading r;

    ck_assert(!read_line("ok 1 - without a plan", &r));
    ck_assert(!read_line("1..4", &r));
    ck_assert(read_line("ok 1 - first", &r) && r.sure && r.begins);
    check_reading(&r, "ok 1", COUNTER, 0.25, 1, 4, false);
    ck_assert(read_line("not ok 2", &r) && !r.begins);
    check_reading(&r, "not ok 2", COUNTER, 0.5, 2, 4, false);
    ck_assert(!read_line("    ok 3 - of a test inside", &r));
    ck_assert(!read_line("ok 5", &r));
    ck_assert(!read_line("ok 3x", &r));
    ck_assert(!read_line("okay 3", &r));
    ck_assert(!read_line("ok three", &r));
    ck_assert(!read_line("1..0 # skipped", &r));
    ck_assert(!read_line("ok 1", &r));
}
END_TEST

START_TEST(test_ffmpeg) {
    static const char row[] = "frame=   14 fps=9.3 q=2.0 size=      26kB time=00:00:02.50 "
                              "bitrate= 149.9kbits/s speed=0.932x";
    ProgressReading r;

    ck_assert(!read_line(row, &r));
    ck_assert(!read_line("  Duration: N/A, start: 0.000000, bitrate: N/A", &r));
    ck_assert(!read_line(row, &r));
    ck_assert(!read_line("  Duration: 00:00:10.00, start: 0.000000, bitrate: 114 kb/s", &r));
    ck_assert(!read_line("  Duration: 00:00:04.00, start: 0.000000, bitrate: 114 kb/s", &r));
    ck_assert(read_line(row, &r) && r.sure);
    check_reading(&r, row, PERCENT, 0.25, 0, 0, false);
    ck_assert(read_line("size=      26kB time=00:00:05.00 bitrate= 149.9kbits/s speed=2x", &r));
    check_reading(&r, "sound", PERCENT, 0.5, 0, 0, false);
    ck_assert(read_line("out_time=00:00:07.500000", &r));
    check_reading(&r, "-progress", PERCENT, 0.75, 0, 0, false);
    ck_assert(read_line("out_time=00:00:10.040000", &r)); /* the last frame */
    check_reading(&r, "end", PERCENT, 1, 0, 0, false);
    ck_assert(!read_line("out_time=00:01:10.000000", &r));
    ck_assert(!read_line("out_time=-577014:32:22.77", &r));
    ck_assert(!read_line("out_time=N/A", &r));
    ck_assert(!read_line("frame=   14 fps=9.3 time=N/A bitrate=N/A", &r));
}
END_TEST

static bool read_number(LogStream stream, const char *line, ProgressReading *ret) {
    return progress_line_read(&lines, stream, line, strlen(line), ret);
}

START_TEST(test_numbers) {
    ProgressReading r;

    ck_assert(!read_number(LOG_STREAM_STDERR, "3", &r));
    ck_assert(read_number(LOG_STREAM_STDERR, "25", &r) && !r.sure);
    check_reading(&r, "25", PERCENT, 0.25, 0, 0, false);
    ck_assert(read_number(LOG_STREAM_STDERR, "25", &r));
    ck_assert(!read_number(LOG_STREAM_STDOUT, "26", &r));
    ck_assert(read_number(LOG_STREAM_STDERR, "100", &r));
    check_reading(&r, "100", PERCENT, 1, 0, 0, false);
    /* Again from the beginning; other lines in between; too much. */
    ck_assert(!read_number(LOG_STREAM_STDERR, "3", &r));
    ck_assert(!read_number(LOG_STREAM_STDERR, "4", &r));
    ck_assert(read_number(LOG_STREAM_STDERR, "5", &r));
    ck_assert(!read_number(LOG_STREAM_STDERR, "hello", &r));
    ck_assert(!read_number(LOG_STREAM_STDERR, "6", &r));
    ck_assert(!read_number(LOG_STREAM_STDERR, "101", &r));
    ck_assert(!read_number(LOG_STREAM_STDERR, "7.5", &r));
    ck_assert(!read_number(LOG_STREAM_STDERR, "-8", &r));
    ck_assert(!read_number(LOG_STREAM_STDERR, "9", &r));
    for (int i = 1; i <= 100; i++) {
        char line[16];
        snprintf(line, sizeof(line), "%d", i);
        ck_assert(!read_number(LOG_STREAM_STDOUT, line, &r));
    }
}
END_TEST

/* ---- anything at all ---- */

static void check_sane(const char *line, size_t size) {
    ProgressReading r;

    if (!progress_line_read(&lines, rand() % 2 ? LOG_STREAM_STDOUT : LOG_STREAM_STDERR, line, size,
                            &r))
        return;
    MUST(r.source == PERCENT || r.source == COUNTER);
    MUST(r.fraction <= 1 && (r.fraction >= 0 || r.done > 0));
    MUST(r.total == 0 || r.done <= r.total);
    MUST(memchr(r.phase, '\0', sizeof(r.phase)));
}

/* All pieces of all lines, in memory that ends where they do. */
START_TEST(test_pieces) {
    const char *line = (size_t)_i < ELEMENTSOF(forms)
                           ? forms[_i].line
                           : generic[(size_t)_i - ELEMENTSOF(forms)].line;
    size_t size = strlen(line);

    for (size_t from = 0; from < size; from++)
        for (size_t n = 1; from + n <= size; n++) {
            char *piece = malloc(n);
            memcpy(piece, line + from, n);
            check_sane(piece, n);
            free(piece);
        }
}
END_TEST

/* Bytes put together at random of what the forms are made of. */
START_TEST(test_random) {
    static const char *const parts[] = {
        "1",
        "23",
        "456",
        "0",
        "999999999999999999",
        ".",
        ",",
        "/",
        "%",
        " ",
        "  ",
        "[",
        "]",
        "(",
        ")",
        ":",
        "...",
        "K",
        "MiB",
        "B/s",
        "of ",
        "bytes",
        "=",
        "|",
        "#",
        "-",
        "Read:",
        "\xff",
        "Transferred:",
        "time=",
        "frame=",
        "out_time=",
        "  Duration: ",
        "00:00:10.00",
        CURL_HEAD,
        "DL% UL%  Dled",
        "1..",
        "ok ",
        "--",
    };
    char line[512];

    srand(4711);
    for (int round = 0; round < 200000; round++) {
        size_t size = 0;
        for (int i = rand() % 16; i >= 0; i--) {
            const char *part = parts[(size_t)rand() % ELEMENTSOF(parts)];
            if (size + strlen(part) > sizeof(line))
                break;
            memcpy(line + size, part, strlen(part));
            size += strlen(part);
        }
        line[rand() % (int)(size + 1) % (int)sizeof(line)] ^= (char)(rand() % 64 == 0);
        check_sane(line, size);
    }
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("progress-line");
    TCase *t = tcase_create("any program");

    tcase_add_checked_fixture(t, forget_lines, NULL);
    tcase_add_loop_test(t, test_generic, 0, ELEMENTSOF(generic));
    tcase_add_loop_test(t, test_none, 0, ELEMENTSOF(none));
    suite_add_tcase(s, t);

    t = tcase_create("single programs");
    tcase_add_checked_fixture(t, forget_lines, NULL);
    tcase_add_loop_test(t, test_form, 0, ELEMENTSOF(forms));
    tcase_add_test(t, test_no_name);
    tcase_add_test(t, test_sure);
    tcase_add_test(t, test_curl);
    tcase_add_test(t, test_curl_parallel);
    tcase_add_test(t, test_tap);
    tcase_add_test(t, test_ffmpeg);
    tcase_add_test(t, test_numbers);
    suite_add_tcase(s, t);

    t = tcase_create("anything");
    tcase_add_checked_fixture(t, forget_lines, NULL);
    tcase_add_loop_test(t, test_pieces, 0, ELEMENTSOF(forms) + ELEMENTSOF(generic));
    tcase_add_test(t, test_random);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
