#pragma once

#include "common/journal-lines.h"
#include "common/log-file.h"
#include "daemon/http/http-operation-pace.h"
#include "daemon/http/http-operation-result.h"
#include "daemon/http/http-operation-saved.h"
#include "daemon/http/http-operation.h"

/* For the http-operation*.c files alone: the machine. One request is under way at a time, or one
 * timer; what is due when that is over follows from `step` and `cancel`, see operation_next() in
 * http-operation.c. */

/* Answers in a row that make no sense, until it is given up. */
#define OPERATION_BAD_MAX 5
/* Of an operation that nobody has seen yet: a server may need a moment to know it. */
#define OPERATION_UNKNOWN_MAX 3
#define OPERATION_RESULT_TRIES_MAX 5
#define OPERATION_HOPS_MAX 5

typedef enum OperationStep {
    OPERATION_STEP_NEW,      /* nothing has been done */
    OPERATION_STEP_SAVE_KEY, /* goes to disk */
    OPERATION_STEP_START,    /* the start is under way, or to be tried again */
    OPERATION_STEP_SAVE_URL, /* it has been answered; where it is followed goes to disk */
    OPERATION_STEP_POLL,
    OPERATION_STEP_RESULT, /* it has succeeded, and the result is elsewhere */
    OPERATION_STEP_ENDED,
} OperationStep;

typedef enum OperationCancel {
    OPERATION_CANCEL_NONE,
    OPERATION_CANCEL_ASK,     /* the server is to be asked, as soon as it is known for what */
    OPERATION_CANCEL_ASKED,   /* it has agreed */
    OPERATION_CANCEL_REFUSED, /* it will not */
} OperationCancel;

typedef struct HttpOperation {
    ExecJob job;
    HttpOperationSpec spec; /* but for params, saved and label, which are not kept there */
    sd_event *event;        /* not owned */
    cJSON *json;            /* of the params */
    HttpOperationParams p;
    char *body, *cancel_body; /* NULL = none */
    char *label;
    const char *journal_socket; /* not owned; NULL: nothing goes there */

    OperationStep step;
    OperationCancel cancel;
    OperationSaved saved;
    bool started_told;
    bool held;                /* the daemon ends */
    bool saving, is_saved;    /* what the step has put together */
    uint64_t first_poll_usec; /* how long after the start */

    HttpCall *call; /* under way; NULL = none */
    void (*on_answer)(struct HttpOperation *o, const OperationAnswer *a);
    void (*on_failure)(struct HttpOperation *o, int error, const char *text);
    sd_event_source *timer;      /* when the next thing is due */
    sd_event_source *stop_timer; /* when a cancel is given up; NULL = none was asked for */
    OperationPace pace;

    /* ---- of the start ---- */
    unsigned tries;
    bool maybe_started; /* an earlier try may have come through */

    /* ---- of polls ---- */
    OperationScale scale;
    bool seen;           /* it has been answered well where it is followed */
    bool had_state;      /* with a state */
    unsigned bad, hops;  /* in a row */
    uint64_t lost_since; /* it cannot be reached; CLOCK_REALTIME, 0 = it can */
    char *hop;           /* where a redirect leads to, for once */
    char *fetch_url;     /* of the result */
    unsigned fetch_tries;
    char *word, *text, *phase; /* as last told; NULL = none */
    double fraction;
    char *failure; /* the last one, as logged */
    char *line;    /* the last one of the log */

    /* ---- of the cancel ---- */
    bool poll_between; /* it could not be asked just now */
    char *cancel_said; /* what the server said to it, in words */

    LogFile log;
    JournalLines *journal;
    char *status; /* as told */
    bool has_result;
} HttpOperation;

/* ---- http-operation.c ---- */
void operation_next(HttpOperation *o);                     /* does what is due */
void operation_later(HttpOperation *o, uint64_t usec);     /* the same, then; 0: in a moment */
void operation_save(HttpOperation *o, OperationStep step); /* and then operation_next() */
uint64_t operation_random(void);
static inline bool operation_is_cancelling(const HttpOperation *o) {
    return o->cancel != OPERATION_CANCEL_NONE;
}

/* ---- http-operation-talk.c: to whoever looks at the task ---- */
void operation_log(HttpOperation *o, bool error, const char *format, ...) _printf_(3, 4);
/* A failure, unless it is the same as the last. */
void operation_log_failure(HttpOperation *o, const char *format, ...) _printf_(2, 3);
void operation_status(HttpOperation *o, const char *format, ...) _printf_(2, 3);
/* What an answer says. True: something of it is new. */
bool operation_tell(HttpOperation *o, const OperationReading *r);
void operation_end(HttpOperation *o, TaskState state, const char *format, ...) _printf_(3, 4);
/* A short text of an answer that is no good: "HTTP 503: try later". To be freed. */
char *operation_describe_answer(const HttpOperation *o, const OperationAnswer *a);
const char *operation_shown_word(const HttpOperation *o); /* for messages */

/* ---- http-operation-call.c: requests ---- */
/* One of the two is called, from the loop, later; body: JSON or NULL. */
void operation_call(HttpOperation *o, const char *method, const char *url, const char *body,
                    void (*on_answer)(HttpOperation *o, const OperationAnswer *a),
                    void (*on_failure)(HttpOperation *o, int error, const char *text));
void operation_drop_call(HttpOperation *o);
/* 0 when there is somebody to be asked, else what to do is in *error. */
int operation_check_client(const HttpOperation *o, Error *error);
/* The server is there, but is to be asked again later. */
bool operation_is_busy_status(unsigned status);
uint64_t operation_retry_after(const OperationAnswer *a);

/* ---- http-operation-start.c ---- */
int operation_make_key(HttpOperation *o);
void operation_send_start(HttpOperation *o);
/* It was cancelled between two tries. */
void operation_end_unstarted(HttpOperation *o);

/* ---- http-operation-poll.c ---- */
void operation_poll(HttpOperation *o);
/* It is over, as the reading of this answer says. */
void operation_conclude(HttpOperation *o, const OperationAnswer *a, OperationState state);

/* ---- http-operation-fetch.c ---- */
/* It has succeeded: takes the result of the answer, or goes to where it is. */
void operation_take_result(HttpOperation *o, const OperationAnswer *a);
/* url: taken. */
void operation_fetch_from(HttpOperation *o, char *url);
void operation_fetch(HttpOperation *o);
void operation_succeed(HttpOperation *o, const char *note); /* note: "" = none */

/* ---- http-operation-cancel.c ---- */
void operation_begin_cancel(HttpOperation *o);
void operation_ask_cancel(HttpOperation *o);
