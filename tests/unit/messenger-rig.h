#pragma once

#include "daemon/http/messenger.h"

/* A messenger without a server: what it asks for is kept here until the test answers, in whatever
 * order, and what it tells is written down as words. */

typedef struct RigCall {
    char *method, *path, *json;
    HttpDoneFunc func;
    void *userdata;
    bool dropped, answered;
} RigCall;

void rig_setup(void);
void rig_teardown(void);

extern Backend *rig_backend;

/* Requests, from 0 on, in the order in which they came: "POST /api/friends {...}". */
size_t rig_n_calls(void);
size_t rig_n_open(void); /* that are neither answered nor dropped */
const char *rig_call(size_t i);
bool rig_is_dropped(size_t i);
void rig_answer(size_t i, unsigned status, const char *body);
void rig_break(size_t i, int error, const char *text); /* no answer */
void rig_refuse(int r);                                /* the next request cannot even begin */

/* What was told since the last look, a word each: "friends(anna bert)", "messages(anna: hi yes)",
 * "added(anna)", "sent(anna: hi)", "peer(anna)", "anew", "later", "error(...)", and of those who
 * asked
 * "-> ...". */
const char *rig_told(void);

/* Ask, and write down the answer. -errno, or the text of the error. */
const char *rig_load_friends(void);
const char *rig_load_messages(const char *peer, unsigned limit);
const char *rig_add(const char *username);
const char *rig_remove(const char *username);
const char *rig_send(const char *to, const char *content);
const char *rig_delete(const char *id);
const char *rig_set_peer(const char *peer);
/* As the watch does. "": nothing to poll; of a poll the error. */
const char *rig_poll_path(void);
bool rig_polls(void); /* by itself, now */
const char *rig_poll(const char *path, const char *json);

void rig_wait(uint64_t usec); /* the clock goes on */
