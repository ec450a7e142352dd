#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "client-cli/json.h"
#include "common/cleanup.h"
#include "common/macro.h"

/* Calls to the daemon. Each function that can fail has said why on stderr before it gives -errno
 * back, and in words for people: nothing more needs to be reported. */

#define CLIENT_NAME "org.longrun.Longrun1"
#define CLIENT_ROOT "/org/longrun/Longrun1"
#define CLIENT_MANAGER CLIENT_NAME ".Manager"
#define CLIENT_TASK CLIENT_NAME ".Task"
#define CLIENT_BACKEND CLIENT_NAME ".Backend"
#define CLIENT_MESSENGER CLIENT_NAME ".Messenger"

#define CLIENT_FOREVER UINT64_MAX /* timeout of a call that waits for the end of a task */

#define _cleanup_bus_ _cleanup_(sd_bus_flush_close_unrefp)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)
#define _cleanup_bus_error_ _cleanup_(sd_bus_error_free)

/* How a task ended. */
typedef struct TaskEnd {
    uint64_t id;
    char state[24]; /* the final state, a word */
    int32_t code;   /* exit code, -1 = none */
} TaskEnd;

/* The session bus; the daemon itself is started by the first call. */
int client_connect(sd_bus **ret);

/* Calls that change something are sent once: when the daemon goes away before it has answered,
 * nobody can tell whether it has done it. Questions may be asked again, and are, for up to a
 * minute, until a daemon that was restarted answers. */

/* Sends a call that the caller has filled in, once. timeout: microseconds, 0 = the default. ret may
 * be NULL when there is nothing to read in the reply. */
int client_send(sd_bus *bus, sd_bus_message *call, uint64_t timeout, sd_bus_message **ret);
/* The same, when the error is the caller's to report, by client_report_call(). *ret_away: the
 * daemon has gone, so that nobody can say what has become of the call; the next one can be asked.
 */
int client_try(sd_bus *bus, sd_bus_message *call, uint64_t timeout, sd_bus_error *error,
               bool *ret_away);
int client_report_call(sd_bus_message *call, const sd_bus_error *error, int r); /* gives r */
/* The same for a question. */
int client_ask(sd_bus *bus, sd_bus_message *call, uint64_t timeout, sd_bus_message **ret);

/* Questions that are put together here. */
int client_call_manager(sd_bus *bus, sd_bus_message **ret, const char *member,
                        const char *signature, ...);
int client_call_task(sd_bus *bus, uint64_t id, sd_bus_message **ret, const char *member,
                     const char *signature, ...);
/* Calls a method of a task that changes it and has neither arguments nor an answer. */
int client_change_task(sd_bus *bus, uint64_t id, const char *member);
/* Calls a method of the manager that takes ids and gives a number. */
int client_change_tasks(sd_bus *bus, const char *member, const uint64_t *ids, size_t n,
                        uint32_t *ret);
/* Sends a call whose answer is a number. */
int client_send_for_number(sd_bus *bus, sd_bus_message *call, uint32_t *ret);
int client_new_task_call(sd_bus *bus, uint64_t id, const char *member, sd_bus_message **ret);
int client_new_call(sd_bus *bus, const char *member, sd_bus_message **ret);

/* All properties of an object, with keys as those of a listed task. */
int client_properties(sd_bus *bus, const char *path, const char *interface, cJSON **ret);
/* All properties of a task, under the keys of a listed task. */
int client_task_properties(sd_bus *bus, uint64_t id, cJSON **ret);
/* All properties of the manager, with keys of the same form. */
int client_manager_properties(sd_bus *bus, cJSON **ret);
/* The same from a reply of GetAll. */
int client_read_properties(sd_bus_message *reply, cJSON **ret);

/* Asks for the end of tasks, which may take for ever, and outlives daemons. Two ways: waiting for
 * the answer, or with a callback on the loop that the bus is attached to. It is called once, with
 * an error when no answer can be had, and then hands what it got to client_read_ends(). */
int client_wait(sd_bus *bus, const uint64_t *ids, size_t n, TaskEnd *ret_ends);
int client_wait_async(sd_bus *bus, uint64_t id, sd_bus_message_handler_t callback, void *userdata);
/* The same with any question. */
int client_ask_async(sd_bus *bus, sd_bus_message *call, uint64_t timeout,
                     sd_bus_message_handler_t callback, void *userdata);
/* Runs the loop until somebody says that it is done. The loop is not told to exit: it would close
 * the connection, and there may be more to ask. */
int client_loop(sd_event *event, const bool *done);
/* Calls when nobody reads stdout any more, which may be long before the next line for it. */
int client_watch_reader(sd_event *event, sd_event_io_handler_t callback, void *userdata);
/* Reads the answer, or reports the error that it is. reply: NULL when it could not be asked for. */
int client_read_ends(sd_bus_message *reply, TaskEnd *ret_ends, size_t n);

/* What the program ends with for a task: 124 when it timed out, 125 when it was skipped, else its
 * exit code; without one 0 for succeeded, 130 for cancelled, else 1. Only a task that succeeded
 * gives 0. */
int client_exit_status(const TaskEnd *end);

/* Reports an error of a call, or a reply that does not parse. Gives r. */
int client_report(const sd_bus_error *error, int r);

/* Where the object of a task is. */
#define CLIENT_PATH_MAX 64
const char *client_task_path(char buf[CLIENT_PATH_MAX], uint64_t id);
