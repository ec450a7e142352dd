#pragma once

#include "daemon/core/backend.h"
#include "daemon/http/http-client.h"

/* Keeps an eye on backends: checks of their status, polls, who is online. One request of a kind at
 * a time for each. */

/* What the types do differently: see backend-json.c and messenger-type.c. */
typedef struct BackendType {
    const char *name; /* BACKEND_TYPE_* */
    /* What is to be polled, to be freed; NULL: nothing now. */
    char *(*poll_path)(const Backend *b);
    /* It is being asked for otherwise: a poll that nobody waits for is left out. NULL: never. */
    bool (*is_loading)(const Backend *b);
    /* A good answer, and another one than the last from this path (but see
     * backend_watch_poll_later()); its body is text without a NUL,
     * and the type sees to it itself whether it is JSON. 0, or -EREMOTE with the error set: it is
     * not what it should be, and nothing of it is taken. NULL: any JSON is taken as it is. */
    int (*polled)(Backend *b, const char *path, const char *body, Error *error);
    const char *poll_failed;    /* how errors of a poll begin: "Failed to load messages" */
    void (*forget)(Backend *b); /* frees b->kept, drops what is under way; it has no watch then */
} BackendType;

extern const BackendType backend_type_json, backend_type_messenger;

typedef struct BackendWatches BackendWatches;

int backend_watches_new(BackendWatches **ret, sd_event *event, HttpLoop *loop,
                        const BackendEvents *events, void *userdata);
BackendWatches *backend_watches_free(BackendWatches *w); /* NULL-safe, gives NULL */

/* What is asked, when a backend seems to be offline, to tell whether it is this machine that is: a
 * url, http or https. NULL or "": only whether there is a route. Copied. */
int backend_watches_set_probe(BackendWatches *w, const char *url);

/* Begins to watch it, by b->settings; b->watch is set. 0 or -errno. */
int backend_watch_add(BackendWatches *w, Backend *b);
/* Its settings are others now: as if it were new, but state and what is known stay until the next
 * answer. */
int backend_watch_change(Backend *b);
/* Drops all that is under way: who waits for an answer is told NoSuchBackend, from within. b->watch
 * is NULL then. */
void backend_watch_remove(Backend *b);
/* Sets b->polling: whether checks and polls are made by themselves. Where they are not, the state
 * is unknown, but for what a check finds that somebody asks for. */
void backend_watch_set_polling(Backend *b, bool polling);
HttpClient *backend_watch_client(Backend *b);
/* What is polled is something else now: a poll under way is dropped, the next begins at once. */
void backend_watch_poll_anew(Backend *b);
/* What is polled is asked for otherwise, now: a poll under way is dropped, unless somebody waits
 * for it, and the next begins after PollInterval. That one is not conditional, and its answer goes
 * to `polled` even if it is what the last poll has seen: something else was told meanwhile. */
void backend_watch_poll_later(Backend *b);
/* An answer that came outside of checks and polls: LastUpdate, Latency, LastError and the event
 * error follow it. error: NULL = it was good. Its text is told each time: somebody has asked. */
void backend_watch_note(Backend *b, const HttpReply *reply, const Error *error);
const BackendEvents *backend_watch_events(const Backend *b, void **ret_userdata);

/* Of somebody who asked; called once, from the loop. error: its code is ERROR_NONE when all went
 * well. At most BACKEND_ASKED_MAX wait for one backend, -ENOBUFS above. */
#define BACKEND_ASKED_MAX 100

/* Checks the status now; one that is under way counts. */
typedef void (*BackendCheckFunc)(void *arg, bool online, const Error *error);
int backend_watch_check(Backend *b, BackendCheckFunc func, void *arg);
/* Polls now, whatever the state. error: that of the backend. -ENODATA: there is nothing to poll. */
typedef void (*BackendPollFunc)(void *arg, const Error *error);
int backend_watch_poll(Backend *b, BackendPollFunc func, void *arg);
/* Any request, for a client. body: JSON, or "" for none; of the answer: any text of UTF-8. */
typedef void (*BackendRequestFunc)(void *arg, unsigned http_status, const char *body,
                                   const Error *error);
int backend_watch_request(Backend *b, const char *method, const char *path, const char *body,
                          BackendRequestFunc func, void *arg, Error *error);
