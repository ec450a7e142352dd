#include "common/journal-lines.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"

#define IDENTIFIER_MAX 64
#define LABEL_MAX 256
#define CLEAN_MAX (3 * JOURNAL_LINE_MAX) /* of a line that is no text at all */

/* What of a line has come. */
typedef struct Line {
    size_t size;
    char text[JOURNAL_LINE_MAX];
} Line;

struct JournalLines {
    int fd;
    struct sockaddr_un address;
    uint64_t id;
    char *fields; /* those of all lines */
    Line out, err;
    uint64_t refused;
    uint64_t tokens, tokens_usec; /* lines that may be sent, and when that was so */
    int64_t patience;             /* the same of the time that may be waited, microseconds */
    uint64_t patience_usec;
};

/* ---- one message ---- */

/* Whether there is room now. Where the CPU is short a wait may take much longer than it was meant
 * to: that is paid back. */
static bool wait_for_room(JournalLines *j) {
    struct pollfd p = {.fd = j->fd, .events = POLLOUT};
    uint64_t begin = clock_usec(CLOCK_MONOTONIC);

    j->patience += (int64_t)((begin - j->patience_usec) / JOURNAL_WAIT_SHARE);
    j->patience = MIN(j->patience, JOURNAL_WAIT_MAX_USEC);
    j->patience_usec = begin;
    if (j->patience < (int64_t)USEC_PER_MSEC)
        return false;
    int n = poll(&p, 1, (int)(j->patience / (int64_t)USEC_PER_MSEC));
    j->patience_usec = clock_usec(CLOCK_MONOTONIC);
    j->patience -= (int64_t)(j->patience_usec - begin);
    return n > 0;
}

/* journald may be another one than before. */
static bool connect_again(JournalLines *j) {
    return connect(j->fd, (const struct sockaddr *)&j->address, sizeof(j->address)) >= 0;
}

static bool deliver(JournalLines *j, struct iovec *iov, size_t n) {
    const struct msghdr message = {.msg_iov = iov, .msg_iovlen = n};
    bool again = false;

    while (sendmsg(j->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN) {
            if (!wait_for_room(j))
                return false;
        } else if (again || !(again = connect_again(j)))
            return false;
    }
    return true;
}

static struct iovec part(const char *text) {
    return (struct iovec){.iov_base = (char *)text, .iov_len = strlen(text)};
}

/* A value without line feeds, which text_clean() has removed, needs no length before it. */
static bool send_text(JournalLines *j, const char *stream_fields, const char *text) {
    struct iovec iov[] = {part(j->fields), part(stream_fields), part("MESSAGE="), part(text),
                          part("\n")};

    return deliver(j, iov, ELEMENTSOF(iov));
}

/* ---- one line ---- */

static size_t without_carriage_returns(const char *text, size_t size) {
    while (size > 0 && text[size - 1] == '\r')
        size--;
    return size;
}

/* Where of a line that is what is to be seen begins; those at its end write nothing over yet. */
static size_t seen_begin(const char *text, size_t size) {
    const char *last = memrchr(text, '\r', without_carriage_returns(text, size));

    return last ? (size_t)(last + 1 - text) : 0;
}

static void trim(char *text) {
    size_t n = strlen(text);

    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        text[--n] = '\0';
}

static void send_line(JournalLines *j, const Line *line, const char *text, size_t size) {
    size_t begin = seen_begin(text, size);
    _cleanup_free_ char *clean = NULL;

    size = without_carriage_returns(text, size);
    if (begin >= size)
        return;
    if (j->tokens == 0) {
        j->refused++;
        return;
    }
    clean = text_clean(text + begin, size - begin, CLEAN_MAX);
    if (clean)
        trim(clean);
    if (clean && !*clean)
        return;
    j->tokens--;
    if (!clean || !send_text(j,
                             line == &j->err ? "PRIORITY=4\nTASK_STREAM=stderr\n"
                                             : "PRIORITY=6\nTASK_STREAM=stdout\n",
                             clean))
        j->refused++;
}

/* ---- from bytes to lines ---- */

/* Where to cut a text of JOURNAL_LINE_MAX bytes: before its last character, which may have more. */
static size_t cut(const char *text, size_t size) {
    size_t n = size;

    while (size - n < 3 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
        n--;
    return ((unsigned char)text[n - 1] & 0xc0) == 0xc0 ? n - 1 : size;
}

/* The line has no end for now, and no room: what was written over goes, else the first part of it
 * is sent. */
static void make_room(JournalLines *j, Line *line) {
    size_t gone = seen_begin(line->text, line->size);

    if (gone == 0) {
        gone = cut(line->text, line->size);
        send_line(j, line, line->text, gone);
    }
    line->size -= gone;
    memmove(line->text, line->text + gone, line->size);
}

static void append(JournalLines *j, Line *line, const char *data, size_t size) {
    while (size > 0) {
        size_t n = MIN(size, sizeof(line->text) - line->size);
        memcpy(line->text + line->size, data, n);
        line->size += n;
        data += n;
        size -= n;
        if (line->size == sizeof(line->text))
            make_room(j, line);
    }
}

static void end_line(JournalLines *j, Line *line, const char *data, size_t size) {
    if (line->size == 0 && size <= sizeof(line->text)) {
        send_line(j, line, data, size);
        return;
    }
    append(j, line, data, size);
    send_line(j, line, line->text, line->size);
    line->size = 0;
}

static void earn_tokens(JournalLines *j) {
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    uint64_t earned = (now - j->tokens_usec) * JOURNAL_RATE / USEC_PER_SEC;

    if (earned == 0)
        return;
    j->tokens = MIN(j->tokens + earned, (uint64_t)JOURNAL_RATE);
    j->tokens_usec = now;
}

void journal_lines_feed(JournalLines *j, LogStream stream, const char *data, size_t size) {
    if (!j)
        return;
    Line *line = stream == LOG_STREAM_STDERR ? &j->err : &j->out;
    const char *end = data + size;

    earn_tokens(j);
    for (const char *feed; (feed = memchr(data, '\n', (size_t)(end - data))); data = feed + 1)
        end_line(j, line, data, (size_t)(feed - data));
    append(j, line, data, (size_t)(end - data));
}

/* ---- begin and end ---- */

static char *make_fields(const JournalTask *task) {
    const char *label = strempty(task->label), *identifier = strempty(task->identifier);
    _cleanup_free_ char *clean_label = text_clean(label, strlen(label), LABEL_MAX);
    _cleanup_free_ char *clean_identifier =
        text_clean(identifier, strlen(identifier), IDENTIFIER_MAX);
    char *fields;

    if (!clean_label || !clean_identifier ||
        asprintf(&fields, "SYSLOG_IDENTIFIER=%s\nTASK_ID=%" PRIu64 "\nTASK_LABEL=%s\n",
                 isempty(clean_identifier) ? "longrun" : clean_identifier, task->id,
                 clean_label) < 0)
        return NULL;
    return fields;
}

static int open_socket(JournalLines *j, const char *path) {
    if (strlen(path) >= sizeof(j->address.sun_path))
        return -ENAMETOOLONG;
    j->address.sun_family = AF_UNIX;
    strcpy(j->address.sun_path, path);
    j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return j->fd < 0 || !connect_again(j) ? -errno : 0;
}

static void journal_lines_release(JournalLines **j) {
    if (!*j)
        return;
    close_fd((*j)->fd);
    free((*j)->fields);
    free(*j);
}

int journal_lines_new(JournalLines **ret, const JournalTask *task) {
    _cleanup_(journal_lines_release) JournalLines *j = calloc(1, sizeof(JournalLines));

    if (!j)
        return -ENOMEM;
    j->fd = -EBADF;
    j->id = task->id;
    j->tokens = JOURNAL_RATE;
    j->patience = JOURNAL_WAIT_MAX_USEC;
    j->tokens_usec = j->patience_usec = clock_usec(CLOCK_MONOTONIC);
    j->fields = make_fields(task);
    if (!j->fields)
        return -ENOMEM;
    int r = open_socket(j, task->socket);
    if (r >= 0)
        *ret = TAKE_PTR(j);
    return r;
}

static void tell_refused(JournalLines *j) {
    char text[128];

    if (j->refused == 0)
        return;
    snprintf(text, sizeof(text),
             "%" PRIu64 " lines were not taken by the journal, the log has them", j->refused);
    j->patience = JOURNAL_WAIT_MAX_USEC;
    if (!send_text(j, "PRIORITY=4\nTASK_STREAM=longrun\n", text))
        log_full(LOG_WARNING, j->id, "%s", text);
}

JournalLines *journal_lines_free(JournalLines *j) {
    if (!j)
        return NULL;
    end_line(j, &j->out, "", 0);
    end_line(j, &j->err, "", 0);
    tell_refused(j);
    journal_lines_release(&j);
    return NULL;
}
