#include "daemon/shim/progress-scan.h"

/* A program that does not flush writes when its buffer is full, of whatever size, and stops in the
 * midst of a number: stdio's are multiples of this. */
#define BUFFER_UNIT 1024

/* ---- lines ---- */

/* All that says something about progress has a digit in it, or a percent sign (a table's head). */
static bool may_say_something(const char *line, size_t size) {
    for (size_t i = 0; i < size; i++)
        if ((line[i] >= '0' && line[i] <= '9') || line[i] == '%')
            return true;
    return false;
}

/* Of a line that was cut, up to the first blank: what is before it may be half a number. */
static size_t broken_word(const ProgressScan *s, size_t from) {
    const char *blank = memchr(s->line + from, ' ', s->size - from);

    return blank ? (size_t)(blank - s->line) : s->size;
}

static void read_line(ProgressScan *s) {
    size_t from = s->size > PROGRESS_LINE_MAX ? s->size - PROGRESS_LINE_MAX : 0;
    ProgressReading reading;

    if (!s->fresh)
        return;
    s->fresh = false;
    if (s->headless)
        return;
    if (s->cut || from > 0)
        from = broken_word(s, from);
    if (may_say_something(s->line + from, s->size - from) &&
        progress_line_read(s->lines, s->stream, s->line + from, s->size - from, &reading))
        s->events->line(s->userdata, &reading);
}

static void end_line(ProgressScan *s) {
    read_line(s);
    s->size = 0;
    s->headless = s->cut = s->fresh = false;
}

/* Each time the buffer is full its second half goes to the front: so at least PROGRESS_LINE_MAX
 * bytes are there, the same for the same line, however it came. */
static void append(ProgressScan *s, const char *data, size_t size) {
    while (size > 0) {
        if (s->size == sizeof(s->line)) {
            memmove(s->line, s->line + PROGRESS_LINE_MAX, PROGRESS_LINE_MAX);
            s->size = PROGRESS_LINE_MAX;
            s->cut = true;
        }
        size_t n = MIN(size, sizeof(s->line) - s->size);
        memcpy(s->line + s->size, data, n);
        s->size += n;
        data += n;
        size -= n;
    }
    s->fresh = true;
}

/* What was there until it was taken back, as "45%\b\b\b", has been on the screen. */
static void backspace(ProgressScan *s) {
    read_line(s);
    if (s->size > 0)
        s->size--;
}

static void control_character(ProgressScan *s, char c) {
    if (c == '\n' || c == '\r')
        end_line(s);
    else if (c == '\b')
        backspace(s);
    else if (c == '\t')
        append(s, " ", 1);
}

/* ---- escape sequences ---- */

static const char *parse_small(const char *p, const char *end, unsigned *ret) {
    unsigned n = 0, digits = 0;

    for (; p < end && *p >= '0' && *p <= '9' && digits < 4; p++, digits++)
        n = n * 10 + (unsigned)(*p - '0');
    *ret = n;
    return digits > 0 && digits < 4 && (p == end || *p == ';') ? p : NULL;
}

/* ESC ] 9 ; 4 ; state ; value, and a terminator of one or two bytes. Error (2) and warning (4) may
 * come without a value: how far it is does not change then. */
static void read_osc(ProgressScan *s, const char *bytes, size_t size) {
    static const char prefix[] = "\x1b]9;4;";
    ProgressReading reading;
    unsigned state, value;

    if (size < strlen(prefix) + 2 || memcmp(bytes, prefix, strlen(prefix)) != 0)
        return;
    bool two = bytes[size - 1] == '\\' || (unsigned char)bytes[size - 2] == 0xc2;
    const char *end = bytes + size - (two ? 2 : 1);
    const char *p = parse_small(bytes + strlen(prefix), end, &state);
    if (!p)
        return;
    if (state == 0 || state == 3) {
        s->events->osc(s->userdata, state == 0 ? PROGRESS_OSC_REMOVE : PROGRESS_OSC_INDETERMINATE,
                       NULL);
        return;
    }
    if (state > 4 || p == end || !parse_small(p + 1, end, &value))
        return;
    progress_reading_init(&reading, PROGRESS_SOURCE_OSC);
    reading.sure = true;
    reading.fraction = value / 100.0;
    s->events->osc(s->userdata, PROGRESS_OSC_VALUE, &reading);
}

/* A cursor that goes elsewhere, or a part of the screen that is wiped, begins something new; one
 * that goes to the right leaves a blank. Colours and modes change nothing. */
static void read_csi(ProgressScan *s, char final) {
    if (final == 'C')
        append(s, " ", 1);
    else if (strchr("ABDEFGHJKLMSTdfsu", final))
        end_line(s);
}

static void read_sequence(ProgressScan *s) {
    const EscapeParser *e = &s->escape;
    char final = e->bytes[e->size - 1];

    if (e->overlong)
        return;
    if (e->kind == ESCAPE_OSC)
        read_osc(s, e->bytes, e->size);
    else if (e->kind == ESCAPE_CSI)
        read_csi(s, final);
    else if (e->kind == ESCAPE_OTHER && e->size == 2 && strchr("78DEMc", final))
        end_line(s);
}

/* ---- bytes ---- */

static bool is_plain(char c) {
    return (unsigned char)c >= 0x20 && c != 0x7f;
}

static void feed_byte(ProgressScan *s, char c) {
    switch (escape_feed(&s->escape, c)) {
    case ESCAPE_INSIDE:
        break;
    case ESCAPE_END:
        read_sequence(s);
        break;
    case ESCAPE_TEXT:
    case ESCAPE_BROKEN:
        if (is_plain(c))
            append(s, &c, 1);
        else
            control_character(s, c);
    }
}

void progress_scan_feed(ProgressScan *s, const char *data, size_t size) {
    const char *end = data + size;

    s->fed += size;
    while (data < end) {
        const char *p = data;
        if (s->escape.state == 0)
            while (p < end && is_plain(*p))
                p++;
        if (p > data)
            append(s, data, (size_t)(p - data));
        else
            feed_byte(s, *p++);
        data = p;
    }
}

void progress_scan_skip(ProgressScan *s, size_t size) {
    escape_reset(&s->escape);
    s->size = 0;
    s->fresh = s->cut = false;
    s->headless = true;
    s->fed += size;
}

/* ---- lines that have not ended ---- */

bool progress_scan_is_unsettled(const ProgressScan *s) {
    return s->fresh && s->fed % BUFFER_UNIT != 0;
}

void progress_scan_settle(ProgressScan *s) {
    if (progress_scan_is_unsettled(s))
        read_line(s);
}
