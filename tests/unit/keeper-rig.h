#pragma once

#include "common/fields.h"
#include "daemon/exec/exec-shim.h"

/* A stand-in for the keeper, over its real socket, on the loop of an executor of commands; and jobs
 * whose events are written down as lines: "started 4711", "progress 3/10", "phase x", "status x",
 * "log 12", "reason x", "paused", "resumed", "usage 5 4096", "message x", "ended failed 3 text".
 * unit_dir is the runtime folder. */

/* The last event of one whose shim was killed. */
#define RIG_LOST                                                                                   \
    "ended interrupted -1 its supervisor, longrun-shim, was killed; the processes that it left "   \
    "have been ended"

#define KEEPER_RIG_ORDERS 2000
#define KEEPER_RIG_DEADLINE_USEC (20 * USEC_PER_SEC)

typedef struct RigOrder {
    uint64_t id;
    int job_fd, control_fd; /* closed by the rig */
} RigOrder;

typedef struct KeeperRig KeeperRig;

typedef struct ShimRigJob {
    KeeperRig *rig;
    ExecJob *job; /* NULL once it has ended */
    char **events;
    size_t n_events;
} ShimRigJob;

struct KeeperRig {
    sd_event *event;
    ShimExecutor *executor;
    int listen_fd, fd; /* -1: not there */
    sd_event_source *listen_source, *source;
    bool deaf;    /* connections are taken, nothing is read */
    bool answers; /* that there is no unit, whenever a keeper is wanted */
    const char *isolation, *cgroup;
    uint64_t live[16]; /* what it answers with; 0 at the end */
    unsigned hellos;
    RigOrder orders[KEEPER_RIG_ORDERS];
    size_t n_orders;
    unsigned asked;      /* times that a keeper was wanted */
    unsigned isolations; /* times that the isolation has changed */
};

void keeper_rig_setup(KeeperRig *rig); /* an executor; no keeper listens */
void keeper_rig_teardown(KeeperRig *rig);
/* Another executor in place of the first, as of the next daemon. libexec_dir: where a real
 * longrun-shim lies. */
void keeper_rig_renew(KeeperRig *rig, const char *libexec_dir);

void keeper_rig_listen(KeeperRig *rig);
void keeper_rig_close(KeeperRig *rig); /* it ends */
void keeper_rig_hear(KeeperRig *rig);  /* deaf no more */
void keeper_rig_say(KeeperRig *rig, const char *text);
/* The executor's connect(), against a keeper that answers meanwhile. */
int keeper_rig_find(KeeperRig *rig);

/* Runs the loop until it is true; fails the test when that takes too long. */
typedef bool (*RigCondition)(const void *arg);
void keeper_rig_until(KeeperRig *rig, RigCondition condition, const void *arg);
void keeper_rig_until_orders(KeeperRig *rig, size_t n);
void keeper_rig_until_asked(KeeperRig *rig, unsigned n);
void keeper_rig_until_event(KeeperRig *rig, const ShimRigJob *j, const char *event);
void keeper_rig_until_ended(KeeperRig *rig, const ShimRigJob *j);
/* Until nothing is to be done without waiting. */
void keeper_rig_settle(KeeperRig *rig);

/* A task "prog" with its folder unit_dir/task-ID. */
int keeper_rig_start(KeeperRig *rig, ShimRigJob *j, uint64_t id);
int keeper_rig_start_spec(KeeperRig *rig, ShimRigJob *j, const ShimSpec *spec);
/* The first order of all, task 7, up to where the keeper has it and the shim could begin. Gives the
 * control socket of the shim, which the rig closes. Open: the stdin of the command is kept open. */
int keeper_rig_start_ordered(KeeperRig *rig, ShimRigJob *j);
int keeper_rig_start_open(KeeperRig *rig, ShimRigJob *j);
void keeper_rig_close_order(KeeperRig *rig, size_t i); /* the shim of that order is gone */
int keeper_rig_adopt(KeeperRig *rig, ShimRigJob *j, uint64_t id);
void shim_rig_expect(const ShimRigJob *j, const char *const *events); /* NULL at the end */
const char *shim_rig_last(const ShimRigJob *j);                       /* "" for none */
void shim_rig_done(ShimRigJob *j);

/* As shim: says something on a control socket, reads what was said. */
void rig_shim_say(int fd, const char *text);
char *rig_shim_hear(int fd); /* NULL at the end of file or when there is nothing; to be freed */

/* Puts a file into the folder of the task, which is made. */
void rig_task_file(uint64_t id, const char *name, const char *text);
/* A socket on which the task's shim listens. */
int rig_task_listen(uint64_t id);

/* A process that the task's shim has left, of a daemon whose runtime folder is dir. It is ended by
 * SIGKILL alone. */
pid_t rig_spawn_stray(uint64_t id, const char *dir);
int rig_wait_signal(pid_t pid); /* waits; which signal has ended it, 0: none */
