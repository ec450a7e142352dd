#include "common/line-join.h"

#include <errno.h>
#include <stdlib.h>

static int hand_on(LineJoin *j, LogStream stream, const char *text, size_t size, LineEnd end) {
    LineJoinPart *p = &j->parts[stream];
    JoinedLine line = {.stream = stream,
                       .time_usec = p->time_usec,
                       .text = text,
                       .size = size,
                       .goes_on = p->goes_on,
                       .end = end};

    p->size = 0;
    p->goes_on = end == LINE_END_NONE;
    p->after_return = end == LINE_END_RETURN;
    return j->func(j->arg, &line);
}

static int keep(LineJoinPart *p, const char *data, size_t size) {
    if (!p->data) {
        p->data = malloc(LINE_JOIN_MAX);
        if (!p->data)
            return -ENOMEM;
    }
    memcpy(p->data + p->size, data, size);
    p->size += size;
    return 0;
}

/* Bytes up to the end of a line, or all. */
static size_t line_size(const char *data, size_t size) {
    const char *feed = memchr(data, '\n', size);
    const char *ret = memchr(data, '\r', feed ? (size_t)(feed - data) : size);

    return ret ? (size_t)(ret - data) : feed ? (size_t)(feed - data) : size;
}

/* A part of a line, without its end. */
static int put_part(LineJoin *j, LogStream stream, const char *data, size_t size, LineEnd end) {
    LineJoinPart *p = &j->parts[stream];
    int r;

    /* Whole lines need no copy. */
    if (p->size == 0 && end != LINE_END_NONE && size <= LINE_JOIN_MAX)
        return hand_on(j, stream, data, size, end);
    while (size > 0) {
        size_t n = MIN(size, LINE_JOIN_MAX - p->size);
        r = keep(p, data, n);
        if (r < 0)
            return r;
        data += n;
        size -= n;
        if (size > 0) {
            r = hand_on(j, stream, p->data, p->size, LINE_END_NONE);
            if (r != 0)
                return r;
        }
    }
    return end == LINE_END_NONE ? 0 : hand_on(j, stream, p->data, p->size, end);
}

int line_join_put(LineJoin *j, LogStream stream, uint64_t time_usec, const char *data,
                  size_t size) {
    LineJoinPart *p = &j->parts[stream];

    for (size_t at = 0; at < size;) {
        size_t n = line_size(data + at, size - at);
        LineEnd end = at + n == size         ? LINE_END_NONE
                      : data[at + n] == '\n' ? LINE_END_FEED
                                             : LINE_END_RETURN;
        if (p->after_return && n == 0 && end == LINE_END_FEED)
            p->goes_on = true;
        else if (p->size == 0 && !p->goes_on)
            p->time_usec = time_usec;
        p->after_return = false;
        int r = put_part(j, stream, data + at, n, end);
        if (r != 0)
            return r;
        at += n + (end != LINE_END_NONE);
    }
    return 0;
}

int line_join_flush(LineJoin *j) {
    for (size_t i = 0; i < ELEMENTSOF(j->parts); i++) {
        LineJoinPart *p = &j->parts[i];
        if (p->size == 0)
            continue;
        int r = hand_on(j, (LogStream)i, p->data, p->size, LINE_END_NONE);
        if (r != 0)
            return r;
    }
    return 0;
}

void line_join_done(LineJoin *j) {
    for (size_t i = 0; i < ELEMENTSOF(j->parts); i++)
        free(j->parts[i].data);
    *j = (LineJoin){};
}
