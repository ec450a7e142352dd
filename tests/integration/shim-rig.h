#pragma once

#include <sys/types.h>

#include "common/fields.h"
#include "common/log-file.h"
#include "common/shim-protocol.h"

/* The daemon's side of longrun-shim for the tests: hands it a job, reads what it says. Everything
 * that goes wrong, or takes longer than RIG_TIMEOUT_MSEC, fails the test. The program is that of
 * the environment variable LONGRUN_SHIM. */

#define RIG_TIMEOUT_MSEC 60000
#define RIG_TASK_ID 7

typedef struct RigValue {
    char key[32];
    char value[NOTIFY_VALUE_MAX + 1];
    unsigned message; /* number of the message that had it */
} RigValue;

typedef struct Rig {
    char dir[32]; /* a directory of the test's own; log and index are in it */
    char *spec;
    size_t spec_size;
    const void *stdin_data; /* not owned; NULL: none */
    size_t stdin_size;
    const char *log_dir;  /* not owned; NULL: dir */
    void (*before)(void); /* runs in the shim's process before the shim, or NULL */

    int control, shim_control;
    pid_t shim;
    pid_t command; /* once STARTED has come */
    unsigned messages;
    RigValue values[24]; /* the last of each key */
    size_t n_values;
} Rig;

void rig_init(Rig *r);
void rig_done(Rig *r);

/* The job. rig_command() is one of shim-command.c. */
void rig_add(Rig *r, const char *key, const char *format, ...) _printf_(3, 4);
void rig_argv(Rig *r, const char *const *argv);
#define RIG_ARGV(r, ...) rig_argv(r, (const char *const[]){__VA_ARGS__, NULL})
void rig_shell(Rig *r, const char *script);
void rig_command(Rig *r, const char *name, const char *arg);

void rig_start(Rig *r);
void rig_start_raw(Rig *r, const void *spec, size_t size);
void rig_send(Rig *r, const char *message);

bool rig_receive(Rig *r);                   /* one message; false at the end */
void rig_wait_for(Rig *r, const char *key); /* until a message has it; it may have come before */
void rig_wait_log(Rig *r, uint64_t size);   /* until the log has that many bytes */
void rig_finish(Rig *r);                    /* to the end; checks what holds for every end */
const char *rig_value(Rig *r, const char *key); /* the last that came, or NULL */
const char *rig_end(Rig *r, const char *key);   /* the same, of the last message alone */
void rig_check_end(Rig *r, const char *key, int value);

void rig_path(Rig *r, const char *name, char *buf, size_t size);
void rig_write_file(Rig *r, const char *name, const char *text, mode_t mode);
void rig_make_fifo(Rig *r, const char *name);
void rig_write_fifo(Rig *r, const char *name); /* waits for the reader */
char *rig_read_log(Rig *r, size_t *ret_size);  /* owned by the caller; "" when there is none */
LogIndexEntry *rig_read_index(Rig *r, size_t *ret_count);
bool rig_is_alive(pid_t pid);

/* Byte number `offset` of the output of the command "pattern". */
unsigned char rig_pattern(uint64_t offset);

int shim_command_main(int argc, char **argv);
