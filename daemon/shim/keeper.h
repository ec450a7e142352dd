#pragma once

#include "daemon/shim/keeper-cgroup.h"
#include "daemon/shim/keeper-connection.h"
#include "daemon/shim/keeper-table.h"

/* The keeper: makes a shim for each task that the daemon asks for, by a fork of itself, and sees to
 * it that every one of them leaves an exit record. One thread, one loop. Times are CLOCK_MONOTONIC,
 * microseconds. */

typedef struct KeeperOptions {
    const char *dir; /* absolute path of the runtime folder */
    bool service;    /* main process of a service that has a cgroup for the tasks */
    int state_fd;    /* what keeper_exec_anew() left; negative: none */
} KeeperOptions;

typedef struct Keeper {
    const char *dir; /* not owned */
    char *self;      /* path of the program */
    int dir_fd;      /* locked as long as the keeper lives */
    int listen_fd;   /* for daemons */
    int signal_fd;   /* shims read it too, each its own signals */
    KeeperCgroup cgroup;
    KeeperConnection daemon;
    KeeperTable table;
    struct pollfd *watches;
    bool service;
    bool stopping;   /* no task is begun any more, and the keeper ends with the last one */
    bool had_daemon; /* one has been connected */
    uint64_t begin_usec;
    uint64_t extend_usec;   /* when the service manager is to be asked for more time */
    uint64_t lost_due_usec; /* when to look after what lost shims left; USEC_INFINITY: never */
    uint64_t lost_interval_usec;
} Keeper;

/* Gives the exit status of the program. */
int keeper_main(const KeeperOptions *options);

/* To one whose process has not died. */
void keeper_signal_shim(const KeeperShim *s, int sig);

/* ---- keeper-folder.c: the runtime folder ---- */

/* Makes and locks it, and listens there. -EADDRINUSE when another keeper answers. */
int keeper_open_folder(Keeper *k);

void keeper_remove_socket(const Keeper *k);

/* Path of the folder of a task, or of a file in it (NULL: none). -ENAMETOOLONG. */
int keeper_task_path(const Keeper *k, uint64_t id, const char *name, char *buf, size_t size);

/* Takes over the shims that another keeper left: those that live, and as lost those that died
 * without a record while nobody looked. */
int keeper_adopt(Keeper *k);

/* ---- keeper-spawn.c ---- */

/* Makes a shim. Takes both descriptors: the job and the shim's end of the control socket, on which
 * is told what goes wrong. */
void keeper_spawn(Keeper *k, uint64_t id, int spec_fd, int control_fd);

/* ---- keeper-lost.c ---- */

/* Its process has died. told: by its exit status, that its exit record is in place. */
void keeper_shim_died(Keeper *k, KeeperShim *s, bool told);

#define KEEPER_LOST_INTERVAL_USEC (5 * USEC_PER_MSEC)

/* To be called when lost_due_usec has come, and when a child has died. */
void keeper_lost_tick(Keeper *k, uint64_t now);

/* ---- keeper-state.c ---- */

/* Executes the program anew, if it can; the shims and the daemon's connection stay. Returns only
 * when that failed, and all is as before then. */
void keeper_exec_anew(Keeper *k);

/* Takes up what keeper_exec_anew() left, and closes the descriptor. 0 or -errno. */
int keeper_take_state(Keeper *k, int fd);
