#include "client-cli/log-view.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client-cli/output.h"
#include "common/cleanup.h"
#include "common/text.h"

#define JSON_TEXT_MAX (4 * LINE_JOIN_MAX) /* nothing of a line is cut off */

/* ---- bytes ---- */

/* From a sequence that lies across pieces there may come more than was put in. */
static int put_filtered(Sink *sink, EscapeFilter *f, const char *data, size_t size) {
    char out[4096 + ESCAPE_FILTER_MORE];
    int r = 0;

    if (escape_filter_passes(f, data, size))
        return sink_put(sink, data, size);
    while (size > 0 && r >= 0) {
        size_t n = MIN(size, sizeof(out) - ESCAPE_FILTER_MORE);
        r = sink_put(sink, out, escape_filter(f, data, n, out));
        data += n;
        size -= n;
    }
    return r;
}

/* Where both streams go to one terminal or file, their order is that of the log. */
static int put_bytes(LogView *v, const LogPiece *p) {
    bool aside = (p->stream == LOG_STREAM_LONGRUN && v->own_aside) ||
                 (p->stream == LOG_STREAM_STDERR && v->form == LOG_FORM_SPLIT);
    Sink *other = aside ? &v->out : &v->err;
    int r = other->size > 0 ? sink_flush(other) : 0;

    if (r < 0)
        return r;
    return aside ? put_filtered(&v->err, &v->aside, p->data, p->size)
                 : put_filtered(&v->out, &v->filters[0], p->data, p->size);
}

/* ---- lines ---- */

static int put_string(LogView *v, const char *s) {
    return sink_put(&v->out, s, strlen(s));
}

/* "2026-11-21T18:00:00" and "+01:00", as RFC 3339 has them; asked for once a second of the log. */
static void format_second(LogView *v, uint64_t second) {
    time_t time = (time_t)second;
    struct tm tm;
    char zone[8];

    if (v->second_at == second)
        return;
    v->second_at = second;
    if (!localtime_r(&time, &tm) || strftime(v->second, sizeof(v->second), "%FT%T", &tm) == 0 ||
        strftime(zone, sizeof(zone), "%z", &tm) != 5) {
        strcpy(v->second, "-");
        v->zone[0] = '\0';
        return;
    }
    snprintf(v->zone, sizeof(v->zone), "%.3s:%.2s", zone, zone + 3);
}

static const char *stream_mark(LogStream stream) {
    static const char *const marks[] = {"?  ", "out", "err", "-- "};

    return marks[stream];
}

/* Many lines share an entry of the index, and so their time. */
static int put_stamp(LogView *v, const JoinedLine *line) {
    const char *mark = v->marks ? stream_mark(line->stream) : "";
    const char *space = v->marks ? " " : "";

    if (v->stamp[0] && v->stamp_time == line->time_usec && v->stamp_stream == line->stream)
        return put_string(v, v->stamp);
    v->stamp_time = line->time_usec;
    v->stamp_stream = line->stream;
    format_second(v, line->time_usec / USEC_PER_SEC);
    if (line->time_usec == 0)
        snprintf(v->stamp, sizeof(v->stamp), "%-29s %s%s", "-", mark, space);
    else
        snprintf(v->stamp, sizeof(v->stamp), "%s.%03u%s %s%s", v->second,
                 (unsigned)(line->time_usec % USEC_PER_SEC / USEC_PER_MSEC), v->zone, mark, space);
    return put_string(v, v->stamp);
}

/* Nothing of one line shows in the next. */
static int end_colour(LogView *v, EscapeFilter *f) {
    if (!f->coloured)
        return 0;
    f->coloured = false;
    return put_string(v, "\x1b[0m");
}

/* Where nothing is drawn over, a line has a line of its own. */
static int end_line(LogView *v, EscapeFilter *f, LineEnd end) {
    if (end == LINE_END_RETURN && v->escapes == ESCAPE_FILTER_STRIP)
        end = LINE_END_FEED;
    v->ended = end;
    if (end == LINE_END_NONE)
        return 0;
    escape_filter_cut(f);
    int r = end_colour(v, f);
    return r < 0 ? r : put_string(v, end == LINE_END_FEED ? "\n" : "\r");
}

/* Of what a \r ended, the next line takes the place, as it does without a time in front. */
static bool is_in_the_way(const LogView *v, const JoinedLine *line) {
    return v->ended == LINE_END_NONE || (v->ended == LINE_END_RETURN && v->last != line->stream);
}

static int on_line(void *arg, const JoinedLine *line) {
    LogView *v = arg;
    EscapeFilter *f = &v->filters[line->stream];
    bool goes_on = line->goes_on && v->ended != LINE_END_FEED && v->last == line->stream;
    int r = 0;

    /* The feed of a \r\n whose line has been ended for another one's sake; and a \r alone, with
     * which some programs begin their lines. */
    if (line->size == 0 && ((line->goes_on && !goes_on) || line->end == LINE_END_RETURN))
        return 0;
    if (!goes_on && is_in_the_way(v, line))
        r = put_string(v, "\n");
    v->last = line->stream;
    if (r >= 0 && !goes_on)
        r = put_stamp(v, line);
    if (r >= 0)
        r = put_filtered(&v->out, f, line->text, line->size);
    return r < 0 ? r : end_line(v, f, line->end);
}

/* ---- JSON ---- */

static int put_json_text(LogView *v, const char *text) {
    char escaped[8];
    int r = put_string(v, "\"");

    for (const char *p = text; *p && r >= 0; p++) {
        size_t n = strcspn(p, "\"\\\t");
        if (n > 0) {
            r = sink_put(&v->out, p, n);
            p += n - 1;
            continue;
        }
        snprintf(escaped, sizeof(escaped), "\\%c", *p == '\t' ? 't' : *p);
        r = put_string(v, escaped);
    }
    return r < 0 ? r : put_string(v, "\"}\n");
}

/* text_clean() leaves no control characters but tabs. */
static int on_json_line(void *arg, const JoinedLine *line) {
    LogView *v = arg;
    char head[96];

    if (line->size == 0 && (line->goes_on || line->end == LINE_END_RETURN))
        return 0;
    _cleanup_free_ char *text = must(text_clean(line->text, line->size, JSON_TEXT_MAX));
    snprintf(head, sizeof(head),
             "{\"time\":%" PRIu64 ",\"stream\":\"%s\",\"text\":", line->time_usec,
             log_stream_to_string(line->stream));
    int r = put_string(v, head);
    return r < 0 ? r : put_json_text(v, text);
}

/* ---- what Longrun says ---- */

/* In the log a blank line sets it apart, and at a gap blanks keep its length: not so in lines. */
static int on_any_line(void *arg, const JoinedLine *line) {
    LogView *v = arg;
    JoinedLine trimmed = *line;

    while (line->stream == LOG_STREAM_LONGRUN && trimmed.size > 0 &&
           line->text[trimmed.size - 1] == ' ')
        trimmed.size--;
    if (line->stream == LOG_STREAM_LONGRUN && trimmed.size == 0)
        return 0;
    return v->form == LOG_FORM_JSON ? on_json_line(v, &trimmed) : on_line(v, &trimmed);
}

/* ---- all ---- */

void log_view_init(LogView *v) {
    for (size_t i = 0; i < ELEMENTSOF(v->filters); i++)
        escape_filter_init(&v->filters[i], v->escapes);
    escape_filter_init(&v->aside,
                       v->escapes == ESCAPE_FILTER_RAW ? v->escapes : ESCAPE_FILTER_PLAIN);
    v->join = (LineJoin){.func = on_any_line, .arg = v};
    v->out = (Sink){.fd = STDOUT_FILENO};
    v->err = (Sink){.fd = STDERR_FILENO};
    v->ended = LINE_END_FEED;
}

static int flush(LogView *v) {
    int r = sink_flush(&v->out), s = sink_flush(&v->err);

    return r < 0 ? r : s;
}

static bool is_joined(const LogView *v) {
    return v->form == LOG_FORM_LINES || v->form == LOG_FORM_JSON;
}

/* Lines before the gap have no end, and what comes behind it has nothing to do with them. */
static int pass_gap(LogView *v, const LogPiece *p) {
    int r = is_joined(v) ? line_join_flush(&v->join) : 0;

    for (size_t i = 0; i < ELEMENTSOF(v->filters); i++) {
        escape_filter_cut(&v->filters[i]);
        v->join.parts[i].goes_on = v->join.parts[i].after_return = false;
    }
    escape_filter_cut(&v->aside);
    if (r >= 0)
        r = flush(v);
    if (r >= 0 && !p->left_out_told)
        print_error("%" PRIu64 " bytes of the log were left out (log-max)%s", p->left_out,
                    v->began ? " before they could be copied" : "");
    return r;
}

static int put_piece(LogView *v, const LogPiece *p) {
    int r = p->left_out > 0 ? pass_gap(v, p) : 0;

    v->began = true;
    if (r < 0 || p->size == 0)
        return r;
    if (p->stream == LOG_STREAM_UNKNOWN)
        v->unknown += p->size;
    if (is_joined(v) && !(p->stream == LOG_STREAM_LONGRUN && v->own_aside))
        return line_join_put(&v->join, p->stream, p->time_usec, p->data, p->size);
    return put_bytes(v, p);
}

/* Who has gone does not need to be told. */
static int report_writing(int r) {
    if (r < 0 && r != -EPIPE)
        print_error("cannot copy the log to stdout: %s", strerror(-r));
    return r;
}

int log_view_pump(LogView *v, LogSource *s) {
    LogPiece piece;
    int r, error = 0;

    while (error >= 0 && (r = log_source_read(s, &piece)) != 0) {
        if (r < 0) {
            (void)flush(v);
            print_error("cannot read the log: %s", strerror(-r));
            return r;
        }
        error = put_piece(v, &piece);
    }
    return report_writing(error < 0 ? error : flush(v));
}

static int end_lines(LogView *v) {
    int r = line_join_flush(&v->join);

    return r >= 0 && v->form == LOG_FORM_LINES && v->ended != LINE_END_FEED ? put_string(v, "\n")
                                                                            : r;
}

int log_view_end(LogView *v) {
    int r = is_joined(v) ? end_lines(v) : 0;

    for (size_t i = 0; i < ELEMENTSOF(v->filters) && r >= 0; i++)
        r = end_colour(v, &v->filters[i]);
    return report_writing(r < 0 ? r : flush(v));
}

void log_view_done(LogView *v) {
    line_join_done(&v->join);
    sink_done(&v->out);
    sink_done(&v->err);
}
