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
 */

#define CURL_COLUMNS 12

/* Takes the numbers of a row up to the times; those stand for "--:--:--", too. */
static size_t take_columns(const char *p, const char *end, ProgressNumber columns[]) {
    size_t n = 0;

    while (n < CURL_COLUMNS) {
        const char *begin = p;
        while (p < end && *p == ' ')
            p++;
        if (p == end || (p == begin && n > 0) || !progress_number_amount(&p, end, &columns[n]) ||
            (p < end && *p != ' '))
            break;
        n++;
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
    ProgressNumber columns[CURL_COLUMNS];

    if (take_columns(line, end, columns) < TIMES)
        return false;
    /* A redirection, an upload with an answer: one of them is what takes the time. */
    double done = MAX(columns[DOWN].value, columns[UP].value), total = columns[TOTAL].value;
    if (columns[PERCENT].value > 100 || (done == 0 && total == 0))
        return false;
    progress_reading_init(ret, PROGRESS_SOURCE_COUNTER);
    ret->sure = ret->bytes = true;
    ret->done = (uint64_t)done;
    if (total > 0) {
        ret->done = (uint64_t)MIN(done, total);
        ret->total = (uint64_t)total;
        ret->fraction = MIN(done, total) / total;
    }
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

/* ---- all of them ---- */

bool progress_meters_read(ProgressLines *l, LogStream stream, const char *line, const char *end,
                          ProgressReading *ret) {
    if (begins_with(line, end, "  % Total    % Received")) {
        l->curl = true;
        return false;
    }
    if (stream == LOG_STREAM_STDERR && read_number(l, line, end, ret))
        return true;
    return (l->curl && read_curl(line, end, ret)) || read_ffmpeg(l, line, end, ret);
}
