#pragma once

#include "daemon/http/backend-watch.h"

/* Backends that are watched, an HTTP server for them, and a record of what is told: all on one
 * event loop, over real sockets. */

typedef struct WatchRig {
    sd_event *event;
    HttpLoop *loop;
    BackendWatches *watches;
    unsigned port;
    struct RigServer *server;
    char *told; /* a line for each event */
} WatchRig;

extern WatchRig rig;

void rig_setup(void);
void rig_teardown(void);

/* ---- the server ---- */

/* What GET of the path (without its query) is answered from now on: the status, header lines that
 * each end with "\r\n", the body. What is not said is 404. */
void rig_answer(const char *path, unsigned status, const char *headers, const char *body);
void rig_answer_bytes(const char *path, const char *body, size_t size); /* 200 */
void rig_hang(const char *path);                                        /* no answer at all */
void rig_delay(const char *path, uint64_t usec);                        /* it comes later */
unsigned rig_requests(const char *path);                                /* so far */
unsigned rig_most_at_once(const char *path);
unsigned rig_all_requests(void);
const char *rig_last_request(const char *path); /* its head, "" before the first */
void rig_close_server(void);                    /* nobody listens any more */
void rig_open_server(void);                     /* on the same port */

/* ---- backends ---- */

/* "Key=Value Key=Value"; a '_' in a value is a blank. Where it says nothing of them, Url= is that
 * of the server, StatusPath= is /status, StatusIntervalSec= and PollIntervalSec= are a week. */
BackendSettings *rig_settings(const char *text);
Backend *rig_add(const char *name, const char *text);
/* One that is found online, named "b"; what was told of that is forgotten. */
#define STATUS "{\"status\":\"online\"}"
Backend *rig_add_online(const char *text);
void rig_remove(Backend *b);

/* ---- what is told ---- */

/* "NAME state STATE[: REASON]", "NAME checked yes|no[ JSON]", "NAME updated PATH JSON", "NAME error
 * TEXT", "NAME messages PEER NUMBER", "NAME peer PEER", and of those who asked "check NAME yes|no[
 * CODE: TEXT]", "poll NAME[ CODE: TEXT]", "request NAME STATUS BODY[ CODE: TEXT]". */
void rig_say(const char *format, ...) _printf_(1, 2);
void rig_forget(void);                /* what was told so far */
unsigned rig_count(const char *text); /* lines that begin with it */
void rig_wait_for(const char *text);  /* until there is such a line; fails after 20 s */
void rig_wait_until(bool (*holds)(void *arg), void *arg);
void rig_run(uint64_t usec); /* runs the loop for so long */

/* Ask, and have the answer told. */
int rig_check(Backend *b);
int rig_poll(Backend *b);
int rig_request(Backend *b, const char *method, const char *path, const char *body, Error *error);
/* The same, and wait for it. Gives the whole line. */
const char *rig_check_now(Backend *b);
const char *rig_poll_now(Backend *b);
