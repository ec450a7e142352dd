#include "daemon/shim/progress-meters.h"

#include "daemon/shim/progress-pattern.h"

static bool begins_with(const char *line, const char *end, const char *what) {
    size_t n = strlen(what);
    return (size_t)(end - line) >= n && memcmp(line, what, n) == 0;
}

/* What follows behind the first place of what; NULL when it is not there. */
static const char *behind(const char *line, const char *end, const char *what) {
    const char *found = memmem(line, (size_t)(end - line), what, strlen(what));
    return found ? found + strlen(what) : NULL;
}

/* ---- curl ----
 *
 *   % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
 *                                  Dload  Upload   Total   Spent    Left  Speed
 *  18 2800k   18  520k    0     0   401k      0  0:00:06  0:00:01  0:00:05  400k
 *
 * and with -Z, of all together, where the first column is empty until all sizes are known
 *
 * DL% UL%  Dled  Uled  Xfers  Live Total     Current  Left    Speed
 *  68 --  2480k     0     3     1   0:00:10  0:00:07  0:00:03  349k
 */

#define CURL_COLUMNS 12

/* Takes the numbers of a row up to the times; "--" is -1. */
static size_t take_columns(const char *p, const char *end, double columns[]) {
    ProgressNumber number;
    size_t n = 0;

    while (n < CURL_COLUMNS) {
        while (p < end && *p == ' ')
            p++;
        number.value = -1;
        if (begins_with(p, end, "-- "))
            p += 2;
        else if (!progress_number_amount(&p, end, &number) || (p < end && *p != ' '))
            break;
        columns[n++] = number.value;
    }
    return n;
}

static bool read_curl(const char *line, const char *end, ProgressReading *ret) {
    enum {
        PERCENT,
        TOTAL,
        PERCENT_DOWN,
        DOWN,
        PERCENT_UP,
        UP,
        SPEED_DOWN,
        SPEED_UP,
        TIMES
    };
    double columns[CURL_COLUMNS];

    if (take_columns(line, end, columns) < TIMES)
        return false;
    /* A redirection, an upload with an answer: one of them is what takes the time. */
    double done = MAX(columns[DOWN], columns[UP]), total = columns[TOTAL];
    if (columns[PERCENT] > 100 || done < 0 || (done == 0 && total <= 0))
        return false;
    progress_reading_init(ret, PROGRESS_SOURCE_COUNTER);
    ret->done = (uint64_t)done;
    if (total > 0) {
        ret->done = (uint64_t)MIN(done, total);
        ret->total = (uint64_t)total;
        ret->fraction = MIN(done, total) / total;
    }
    return true;
}

static bool read_parallel_curl(const char *line, const char *end, ProgressReading *ret) {
    enum {
        PERCENT_DOWN,
        PERCENT_UP,
        DOWN,
        UP,
        TRANSFERS,
        LIVE,
        TIMES
    };
    double columns[CURL_COLUMNS];

    if (take_columns(line, end, columns) < TIMES)
        return false;
    double percent = MAX(columns[PERCENT_DOWN], columns[PERCENT_UP]);
    double done = MAX(columns[DOWN], columns[UP]);
    if (percent > 100 || done <= 0)
        return false;
    progress_reading_init(ret, PROGRESS_SOURCE_COUNTER);
    ret->done = (uint64_t)done;
    if (percent >= 0)
        ret->fraction = percent / 100;
    return true;
}

static bool read_curl_table(ProgressLines *l, const char *line, const char *end,
                            ProgressReading *ret) {
    bool single = begins_with(line, end, "  % Total    % Received");

    if (single || begins_with(line, end, "DL% UL%  Dled")) {
        l->curl = l->curl_begins = true;
        l->curl_parallel = !single;
        return false;
    }
    if (!l->curl || !(l->curl_parallel ? read_parallel_curl : read_curl)(line, end, ret))
        return false;
    ret->sure = ret->bytes = true;
    ret->begins = l->curl_begins;
    l->curl_begins = false;
    return true;
}

/* ---- ffmpeg ----
 *
 *   Duration: 00:00:10.00, start: 0.000000, bitrate: 320 kb/s
 * frame=  123 fps= 25 q=28.0 size=     256kB time=00:00:05.00 bitrate= 419.4kbits/s speed=1.2x
 *
 * and with -progress a line for each, as "out_time=00:00:05.000000".
 */

#define END_SLACK 1.05 /* the last frame may end a little behind the end */

static bool read_time(const ProgressLines *l, const char *p, const char *end,
                      ProgressReading *ret) {
    uint64_t usec;

    if (!p || l->duration_usec == 0 || !progress_number_clock(&p, end, &usec))
        return false;
    double fraction = (double)usec / (double)l->duration_usec;
    if (fraction > END_SLACK)
        return false;
    progress_reading_init(ret, PROGRESS_SOURCE_PERCENT);
    ret->sure = true;
    ret->fraction = MIN(fraction, 1.0);
    return true;
}

static bool read_ffmpeg(ProgressLines *l, const char *line, const char *end, ProgressReading *ret) {
    const char *p = behind(line, end, "  Duration: ");
    uint64_t usec;

    if (p) {
        if (progress_number_clock(&p, end, &usec))
            l->duration_usec = MAX(l->duration_usec, usec); /* of several inputs the longest */
        return false;
    }
    if (begins_with(line, end, "out_time="))
        return read_time(l, line + strlen("out_time="), end, ret);
    if (begins_with(line, end, "frame=") || begins_with(line, end, "size="))
        return read_time(l, behind(line, end, " time="), end, ret);
    return false;
}

/* ---- pv -n ----
 *
 * A number from 0 to 100 in a line of stderr, again and again. On stdout numbers are what the
 * program was asked for. */

#define NUMBERS_NEEDED 2

static bool read_number(ProgressLines *l, const char *line, const char *end, ProgressReading *ret) {
    const char *p = line;
    double number;

    if (!progress_number_whole(&p, end, &number) || p < end || number > 100 ||
        (l->n_numbers > 0 && number < l->number)) {
        l->n_numbers = 0;
        return false;
    }
    l->number = (unsigned)number;
    if (++l->n_numbers < NUMBERS_NEEDED)
        return false;
    l->n_numbers = NUMBERS_NEEDED;
    progress_reading_init(ret, PROGRESS_SOURCE_PERCENT);
    ret->fraction = number / 100;
    return true;
}

/* ---- TAP, what test programs of many languages print ----
 *
 * 1..34
 * ok 1 - the first
 * not ok 2 - the second
 */

static bool read_tap(ProgressLines *l, const char *line, const char *end, ProgressReading *ret) {
    const char *p = line;
    double number;

    if (begins_with(line, end, "1..")) {
        p += strlen("1..");
        if (progress_number_whole(&p, end, &number) && (p == end || *p == ' '))
            l->tap_total = (uint64_t)number;
        return false;
    }
    if (l->tap_total < 2)
        return false;
    if (begins_with(p, end, "not "))
        p += strlen("not ");
    if (!begins_with(p, end, "ok "))
        return false;
    p += strlen("ok ");
    if (!progress_number_whole(&p, end, &number) || (p < end && *p != ' ') ||
        number > (double)l->tap_total)
        return false;
    progress_reading_init(ret, PROGRESS_SOURCE_COUNTER);
    ret->sure = true;
    ret->begins = number == 1;
    ret->done = (uint64_t)number;
    ret->total = l->tap_total;
    ret->fraction = number / (double)l->tap_total;
    return true;
}

/* ---- all of them ---- */

bool progress_meters_read(ProgressLines *l, LogStream stream, const char *line, const char *end,
                          ProgressReading *ret) {
    if (stream == LOG_STREAM_STDERR && read_number(l, line, end, ret))
        return true;
    return read_curl_table(l, line, end, ret) || read_tap(l, line, end, ret) ||
           read_ffmpeg(l, line, end, ret);
}
