#pragma once

#include <sys/types.h>

#include "common/fields.h"
#include "common/log-file.h"
#include "common/shim-protocol.h"

/* The daemon's side of longrun-shim for the tests: starts a keeper, hands it a job, reads what the
 * shim says. Everything that goes wrong, or takes longer than RIG_TIMEOUT_MSEC, fails the test. The
 * program is that of the environment variable LONGRUN_SHIM. */

#define RIG_TIMEOUT_MSEC 60000
#define RIG_TASK_ID 7

typedef struct RigValue {
    char key[32];
    char value[NOTIFY_VALUE_MAX + 1];
    unsigned message; /* number of the message that had it */
} RigValue;

typedef struct Rig {
    char dir[32]; /* a directory of the test's own; log and index are in it */
    char run[48]; /* the runtime folder in it */
    char *spec;
    size_t spec_size;
    const void *stdin_data; /* not owned; NULL: none */
    size_t stdin_size;
    const char *log_dir;  /* not owned; NULL: dir */
    void (*before)(void); /* runs in the keeper's process before the keeper, or NULL */
    const char *program;  /* not owned; NULL: that of the environment */
    char cgroup[64];      /* of the keeper, started with --cgroup; "": none */

    pid_t keeper; /* negative: none */
    int keeper_fd;
    RigValue facts[8]; /* what it answered to HELLO, but for LIVE */
    size_t n_facts;
    uint64_t live[64];
    size_t n_live;

    int control, shim_control;
    pid_t shim, command;       /* once STARTED has come */
    char last[FIELDS_MAX + 1]; /* message */
    unsigned messages;
    RigValue values[24]; /* the last of each key */
    size_t n_values;
    char **texts; /* those of NOTIFY_MESSAGE, which are no values */
    size_t n_texts;
} Rig;

/* Where the keepers of all tests are to have their cgroups, or NULL: they have none. */
extern const char *rig_cgroup_base;

void rig_init(Rig *r);
void rig_done(Rig *r);

/* The job. rig_command() is one of shim-command.c. */
void rig_add(Rig *r, const char *key, const char *format, ...) _printf_(3, 4);
void rig_argv(Rig *r, const char *const *argv);
#define RIG_ARGV(r, ...) rig_argv(r, (const char *const[]){__VA_ARGS__, NULL})
void rig_shell(Rig *r, const char *script);
void rig_command(Rig *r, const char *name, const char *arg);

/* The keeper; rig_start() starts and greets one when there is none. */
void rig_start_keeper(Rig *r); /* until it listens */
void rig_connect(Rig *r);
void rig_hello(Rig *r, const char *version); /* connects and reads the whole answer */
const char *rig_fact(Rig *r, const char *key);
bool rig_is_live(Rig *r, uint64_t id);
bool rig_keeper_message(Rig *r, char buf[static FIELDS_MAX + 1]); /* false at the end */
void rig_wait_lost(Rig *r, uint64_t id);
void rig_end_keeper(Rig *r); /* disconnects, and waits until it has ended by itself */

void rig_start(Rig *r);
void rig_start_shell(Rig *r, const char *script); /* in dir, and programs are found */
void rig_start_raw(Rig *r, const void *spec, size_t size);
void rig_start_id(Rig *r, uint64_t id); /* as rig_start(), another than RIG_TASK_ID */
void rig_send_spawn(Rig *r, uint64_t id, int spec_fd, int control_fd);
void rig_send(Rig *r, const char *message);
void rig_send_text(Rig *r, const char *text); /* a message for the command */

bool rig_receive(Rig *r);                   /* one message; false at the end */
void rig_wait_for(Rig *r, const char *key); /* until a message has it; it may have come before */
void rig_wait_log(Rig *r, uint64_t size);   /* until the log has that many bytes */
void rig_finish(Rig *r);                    /* to the end; checks what holds for every end */
void rig_take_up(Rig *r);                   /* connects to the shim anew, knowing nothing */
const char *rig_value(Rig *r, const char *key); /* the last that came, or NULL */
uint64_t rig_count(Rig *r, const char *key);    /* the same as a number; 0: none came */
void rig_wait_count(Rig *r, const char *key, uint64_t n);
const char *rig_end(Rig *r, const char *key); /* that of the last message alone */
void rig_check_end(Rig *r, const char *key, int value);

void rig_path(Rig *r, const char *name, char *buf, size_t size);
void rig_write_file(Rig *r, const char *name, const char *text, mode_t mode);
void rig_make_fifo(Rig *r, const char *name);
void rig_write_fifo(Rig *r, const char *name); /* waits for the reader */
char *rig_read_log(Rig *r, size_t *ret_size);  /* owned by the caller; "" when there is none */
void rig_check_log(Rig *r, const char *expected);
LogIndexEntry *rig_read_index(Rig *r, size_t *ret_count);
bool rig_is_alive(pid_t pid);
void rig_wait_gone(pid_t pid);
pid_t rig_parent(pid_t pid);
char rig_state(pid_t pid); /* as in /proc/PID/stat, or '?' */
void rig_wait_state(pid_t pid, char state);
void rig_check_idle(Rig *r); /* the shim has nothing to do, and does nothing */

/* The exit record; the caller frees it. NULL: there is none. */
char *rig_read_record(Rig *r, uint64_t id);
void rig_wait_record(Rig *r, uint64_t id);

/* Byte number `offset` of the output of the command "pattern". */
unsigned char rig_pattern(uint64_t offset);

int shim_command_main(int argc, char **argv);
