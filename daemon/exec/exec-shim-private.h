#pragma once

#include <sys/queue.h>
#include <uthash.h>

#include "daemon/exec/exec-shim.h"
#include "daemon/exec/keeper-link.h"
#include "daemon/exec/shim-message.h"

/* For the exec-shim*.c files alone. */

typedef enum ShimJobState {
    SHIM_JOB_WAITING, /* for a keeper, or for room in its socket; nothing of it runs */
    SHIM_JOB_RUNNING, /* the control socket tells */
    SHIM_JOB_SILENT,  /* there is no control socket: record or keeper will tell, or its absence */
    SHIM_JOB_STRAYS,  /* its shim is lost, and nobody but us ends its processes */
    SHIM_JOB_ENDED,   /* its end is known, and to be told by the loop */
    SHIM_JOB_TOLD,    /* only freeing is left */
} ShimJobState;

typedef struct ShimJob {
    ExecJob job;
    ShimExecutor *executor; /* not owned; NULL when that was freed first */
    ShimJobState state;
    uint64_t id;
    UT_hash_handle hh;
    TAILQ_ENTRY(ShimJob) link; /* of the executor's list for the state */

    char *runtime_dir, *program, *cwd, *stdin_file, *final_message;
    bool isolated;
    ShimLimits limits;

    /* What is sent to the keeper, kept until the shim is heard: should the keeper end before it has
     * read the order, the next one gets it. */
    int job_fd;
    unsigned spawns;
    bool heard;
    bool known; /* the keeper will tell if its shim is lost */

    int control_fd;
    sd_event_source *control_source;
    unsigned connects; /* to its control socket, since the last message */
    bool cancel_requested, cancel_pending;
    int pause_wanted; /* 1, 0, or -1: nothing was */
    bool pause_pending;

    /* What is written to the command's stdin. It waits here until the shim has told what it has,
     * for one on whose socket nobody looks yet may be lost with it. */
    bool takes_messages, takes_bytes, inbox_known;
    bool stdin_ended, stdin_closed; /* by CloseStdin, which may wait; by the command, or then */
    bool end_sent;                  /* that of CloseStdin, to the shim */
    bool message_pending;           /* the shim has not read what it was sent before */
    struct StdinWriteQueue outbox;
    unsigned n_lines, n_writes; /* in it: messages, and what is others' */
    /* From the start of the task, also by daemons before. */
    uint64_t sent, taken;             /* messages */
    uint64_t bytes_sent, bytes_taken; /* that are no messages */

    bool bytes;      /* the command counts them */
    unsigned strays; /* processes found in this round */
    bool untraced;   /* nothing was found of it, neither files nor processes */
    TaskUsage usage;
    ShimEnd end;
    char *record_data; /* what the record points into */
    ShimMessage record;
} ShimJob;

TAILQ_HEAD(ShimJobList, ShimJob);

struct ShimExecutor {
    sd_event *event; /* not owned */
    char *runtime_dir;
    KeeperLink *link;
    const ShimExecutorEvents *events; /* not owned, may be NULL */
    void *userdata;                   /* not owned */
    char isolation[32];
    char *cgroup;  /* of the last keeper; NULL = none */
    ShimJob *jobs; /* by id; those that were told of their end are not in it */
    struct ShimJobList waiting;
    struct ShimJobList settling; /* SHIM_JOB_SILENT and SHIM_JOB_STRAYS */
    struct ShimJobList ended;
    sd_event_source *timer; /* looks at the last two */
    uint64_t interval_usec;
};

/* exec-shim.c */
/* Hands the jobs that wait to the keeper, or has one looked for. */
void shim_spawn_waiting(ShimExecutor *x);

/* exec-shim-job.c: the control socket. A state is changed by shim_job_set_state() alone. */
void shim_job_set_state(ShimJob *j, ShimJobState state);
/* 0 or -errno: -ENOENT, -ECONNREFUSED when no shim listens. */
int shim_job_connect(ShimJob *j);
int shim_job_watch(ShimJob *j);
void shim_job_close_control(ShimJob *j);
/* Reads all that its shim has sent. The job may be gone after that: look it up again. */
void shim_job_drain(ShimJob *j);
/* Sends again what is wanted of the shim, on a control socket that is new. */
void shim_job_repeat_wishes(ShimJob *j);
/* The end is known: to be told by the loop. */
void shim_job_end(ShimJob *j, const ShimEnd *end);
void shim_job_end_by_errno(ShimJob *j, int error); /* it was not started */
void shim_job_tell_end(ShimJob *j);                /* from the loop */
extern const ExecJobVTable shim_job_vtable;

/* exec-shim-inbox.c: what is written to its stdin, and messages that it sends. */
int shim_job_send(ExecJob *job, const char *text);     /* of the vtable */
int shim_job_write(ExecJob *job, StdinWrite *w);       /* the same */
void shim_job_drop_write(ExecJob *job, StdinWrite *w); /* the same */
void shim_job_send_outbox(ShimJob *j);                 /* there may be room */
/* Nobody reads it, or will. why: of lost messages, for the journal, or NULL. */
void shim_job_drop_outbox(ShimJob *j, int error, const char *why);
void shim_job_note_inbox(ShimJob *j, const ShimMessage *m);
bool shim_is_texts(const char *data); /* a packet that has nothing but messages */
void shim_job_report_texts(ShimJob *j, char *data);
void shim_job_update_interest(ShimJob *j); /* exec-shim-job.c */

/* exec-shim-settle.c: ends that no control socket tells. */
int shim_settle_init(ShimExecutor *x);
void shim_settle_soon(ShimExecutor *x);
void shim_settle_lost(ShimExecutor *x, uint64_t id); /* the keeper has ended its processes */
/* A shim was made for the task, at some time. */
bool shim_left_trace(const char *runtime_dir);
