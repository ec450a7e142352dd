#pragma once

#include "common/macro.h"

/* How longrund and longrun-shim speak. All messages are packets of common/fields.h on
 * SOCK_SEQPACKET sockets.
 *
 * One keeper ("longrun-shim --keeper DIR") for each runtime folder makes the shims: it listens on
 * DIR/keeper and forks itself for every task, so that a shim is no child of the daemon and outlives
 * it, and that no program is loaded to start one. It is a subreaper: what a shim that was killed
 * leaves behind becomes its child, and is ended by it. With --cgroup it is the main process of a
 * service whose cgroup is delegated to it, and stays; without, whoever starts it reads the end of
 * file from its stdout when it listens, and it ends by itself when there is neither a daemon nor a
 * shim. One that follows a keeper which was killed takes over its shims.
 *
 * Files of a task in its folder DIR/task-ID, which the keeper makes:
 *
 *   control    socket on which the shim listens: a daemon that comes later connects there
 *   notify     socket for sd_notify(3) of the command
 *   exit       the exit record: written to exit.new, fsync(2), renamed, before anyone is told. Its
 *              text is the last message, and what of progress and status was told last
 *   result     what the command left as its result
 *
 * The daemon removes the folder when the end is in its store. */

/* ---- the keeper ---- */

#define KEEPER_SOCKET "keeper"

/* From the daemon. The first message has HELLO; a keeper of another version executes itself anew
 * before it answers, its shims go on. */
#define KEEPER_HELLO "HELLO" /* =VERSION of longrund */
/* =ID: make a shim. Comes with two descriptors (SCM_RIGHTS): a memory file with the job, and the
 * shim's end of a connected control socket. What cannot be made is told on that socket, by a last
 * message with EXEC_ERRNO. */
#define KEEPER_SPAWN "SPAWN"

/* To the daemon, in answer to HELLO, when everything that was sent on earlier connections has been
 * done: the first four once, LIVE for each shim there is, in as many messages as it takes, and
 * LIVE_END in the last one. */
#define KEEPER_VERSION "VERSION"
#define KEEPER_ISOLATION "ISOLATION" /* ISOLATION_CGROUP or ISOLATION_PROCESS_GROUP */
#define KEEPER_CGROUP "CGROUP"       /* path below which the tasks' cgroups task-ID are made; "" */
#define KEEPER_CONTROLLERS "CONTROLLERS" /* of these: "cpu memory pids"; "" */
#define KEEPER_LIVE "LIVE"               /* =ID; it may be ending, or dead and LOST to follow */
#define KEEPER_LIVE_END "LIVE_END"       /* =1 */

/* =ID: the shim died without an exit record. Its processes have been ended, and the keeper has
 * written the record, with LOST=1. */
#define KEEPER_LOST "LOST"

#define ISOLATION_CGROUP "cgroup"
#define ISOLATION_PROCESS_GROUP "process-group"

/* ---- the job ---- */

#define SHIM_SPEC_MAX (16 * MIB) /* the largest job, bytes */

/* NUL-terminated KEY=VALUE strings. ARGV and ENV may repeat, in order; ENV is the whole environment
 * of the command. ID, RUNTIME_DIR, LOG_DIR and one ARGV must be there; an unknown key is an error.
 */
#define SHIM_SPEC_ID "id"
#define SHIM_SPEC_RUNTIME_DIR "runtime-dir" /* absolute path of the task's folder, see above */
#define SHIM_SPEC_ARGV "argv"
#define SHIM_SPEC_ENV "env"
#define SHIM_SPEC_CWD "cwd"       /* absolute path; without it the shim's own */
#define SHIM_SPEC_UMASK "umask"   /* decimal; without it the shim's own */
#define SHIM_SPEC_NOFILE "nofile" /* soft RLIMIT_NOFILE; without it the shim's own */
#define SHIM_SPEC_NICE "nice"     /* added to the shim's own */
#define SHIM_SPEC_STOP_TIMEOUT                                                                     \
    "stop-timeout-usec" /* from SIGTERM to SIGKILL; 0 = SIGKILL at once, without it never */
/* Limits; 0 or without them none. A time that is spent paused does not count. */
#define SHIM_SPEC_TIMEOUT "timeout-usec"
#define SHIM_SPEC_IDLE_TIMEOUT "idle-timeout-usec" /* without output and without progress */
#define SHIM_SPEC_MEMORY_MAX "memory-max"          /* bytes */
#define SHIM_SPEC_PIDS_MAX "pids-max"
#define SHIM_SPEC_CPU_WEIGHT "cpu-weight" /* where the cpu controller is delegated */
#define SHIM_SPEC_LOG_DIR "log-dir"
#define SHIM_SPEC_LOG_MAX "log-max" /* bytes; without it no limit */
/* =PATH of journald's socket: the lines of its output go to the journal, too, see
 * common/journal-lines.h. LABEL and IDENTIFIER are for that alone. */
#define SHIM_SPEC_JOURNAL "journal"
#define SHIM_SPEC_LABEL "label"
#define SHIM_SPEC_IDENTIFIER "identifier"
/* =COLUMNSxROWS: stdout and stderr are a terminal of this size, and so is stdin with
 * SHIM_SPEC_STDIN_OPEN. All that is printed there is of stdout in the log. */
#define SHIM_SPEC_TERMINAL "terminal"
/* =1: stdin is a pipe that stays open, for messages and bytes; what SHIM_SPEC_STDIN has comes
 * first. */
#define SHIM_SPEC_STDIN_OPEN "stdin-open"
#define SHIM_SPEC_STDIN_FILE "stdin-file" /* instead of both: path of a file or a device */
/* Bytes for the command's stdin; without it /dev/null. Comes last: its value runs up to the NUL
 * that ends the file, and so may have NULs of its own. */
#define SHIM_SPEC_STDIN "stdin"

/* ---- the control socket ---- */

/* When it is closed from the other side, the task goes on; whoever connects to "control" takes the
 * place of the one before, and is told all that is known. SIGTERM, SIGINT and SIGHUP to the shim
 * stop the task as a cancel does, with STOPPED in place of CANCELLED.
 *
 * Just before the last message the shim stops listening: from then on sending to it gives EPIPE,
 * which only says that the task has ended and that the last message is there to be read, or, after
 * the end of file, the exit record. */

/* To the shim. */
#define SHIM_CANCEL "CANCEL" /* =1: SIGTERM to every process, after the stop timeout SIGKILL */
#define SHIM_KILL "KILL"     /* =N: signal N to every process */
#define SHIM_PAUSE "PAUSE"   /* =1: stop every process, =0: let them go on */
/* =TEXT of up to MESSAGE_MAX bytes: a line for the command's stdin, one in a packet. The shim keeps
 * what the pipe has no room for, up to MESSAGE_QUEUE_MAX of them: the daemon, which is told how
 * many it has, sends no more. To be sent only to a shim that has told so: one of a version before
 * that, or of a command whose stdin is not open, passes it over in silence. */
#define SHIM_MESSAGE "MESSAGE"
/* =BYTES for the command's stdin, to the end of the packet, NULs and all; nothing else is in it.
 * The shim keeps up to SHIM_STDIN_MAX that the pipe has no room for; the daemon, which is told how
 * many it has, sends no more. Messages and bytes are written in the order in which they came. To be
 * sent only to a shim that has told of SHIM_STDIN_RECEIVED. */
#define SHIM_STDIN "STDIN"
#define SHIM_STDIN_MAX (256 * KIB)
/* =1: close it when all that came before is written; of a terminal, end the input. */
#define SHIM_STDIN_END "STDIN_END"

/* From the shim, while it runs. */
#define SHIM_STARTED "STARTED"   /* =PID: the command was executed */
#define SHIM_LOG_SIZE "LOG_SIZE" /* bytes in the log now; at most 20 times a second */
#define SHIM_MAIN_EXITED                                                                           \
    "MAIN_EXITED"            /* =N: the command ended, N processes of its own making live on */
#define SHIM_PAUSED "PAUSED" /* =1: all of them are stopped, =0: they go on */
/* Where stdin stays open: at the start, and whenever it has changed. Both count messages from the
 * start of the task, whichever daemon sent them. Those that are TAKEN are in the pipe, or of no
 * use any more. */
#define SHIM_MESSAGES_RECEIVED "MESSAGES_RECEIVED"
#define SHIM_MESSAGES_TAKEN "MESSAGES_TAKEN"
/* The same of bytes, those of SHIM_STDIN. */
#define SHIM_STDIN_RECEIVED "STDIN_RECEIVED"
#define SHIM_STDIN_TAKEN "STDIN_TAKEN"
#define SHIM_STDIN_ENDED "STDIN_ENDED"   /* =1: it was told to close it; what waits is yet to go */
#define SHIM_STDIN_CLOSED "STDIN_CLOSED" /* =1: nobody reads it any more; with the four above */
/* Used up so far: comes along with other messages, at most once a second, and with the last. */
#define SHIM_CPU_USEC "CPU_USEC"
#define SHIM_MEMORY_PEAK                                                                           \
    "MEMORY_PEAK" /* bytes; without a memory controller of the largest process */

/* From the command on NOTIFY_SOCKET, passed on at most 20 times a second, the last of each; a value
 * is cut to NOTIFY_VALUE_MAX bytes. */
#define NOTIFY_STATUS "STATUS"
#define NOTIFY_FINAL_MESSAGE "X_LONGRUN_FINAL_MESSAGE" /* the closing words, kept for the end */
/* Progress, from there, too: "42", "42%" or "0.42", and how much of how much. It goes into the
 * progress reader, with what the output says. From the shim these are what the reader makes of all
 * of it: each time the whole state, with SHIM_PROGRESS_SOURCE, in a message of its own kind or with
 * others, and in the exit record; keys that are not in it are not known. */
#define NOTIFY_PROGRESS "X_LONGRUN_PROGRESS"
#define NOTIFY_DONE "X_LONGRUN_DONE"
#define NOTIFY_TOTAL "X_LONGRUN_TOTAL"
#define NOTIFY_UNIT                                                                                \
    "X_LONGRUN_UNIT" /* of both: NOTIFY_UNIT_BYTES; "" or any other: just a number */
#define NOTIFY_UNIT_BYTES "bytes"
#define NOTIFY_PHASE "X_LONGRUN_PHASE" /* begins another, if the name is another one */
#define NOTIFY_VALUE_MAX (1 * KIB)
/* Not passed on: the time in microseconds, from now on, in which no timeout is to end the task; of
 * the state that it is in, so that one being stopped gets more of the stop timeout. Nothing is
 * shortened by it. */
#define NOTIFY_EXTEND_TIMEOUT "EXTEND_TIMEOUT_USEC"

/* Where the progress comes from, with it: see progress_source_to_string(). From the shim alone; one
 * of a version before that does not say it, and passes on what the command has said. */
#define SHIM_PROGRESS_SOURCE "PROGRESS_SOURCE"

/* From the command on NOTIFY_SOCKET, too: a message of up to MESSAGE_MAX bytes for the parent of
 * the task. All of them are passed on in their order, in packets that have nothing else: after N of
 * them there are none for N * NOTIFY_MESSAGE_INTERVAL_USEC. What comes meanwhile waits, also for
 * the next daemon, but no more than MESSAGE_QUEUE_MAX. */
#define NOTIFY_MESSAGE "X_LONGRUN_MESSAGE"
#define NOTIFY_MESSAGE_INTERVAL_USEC (10 * USEC_PER_MSEC)
/* =N more that were not passed on: too long, too many, or, with the last message, nobody was there
 * to be told. */
#define SHIM_MESSAGES_DROPPED "MESSAGES_DROPPED"

/* The last message, when no process of the task is left and the exit record is in place;
 * SHIM_LOG_SIZE and usage come with it. Just one of the first four. */
#define SHIM_EXIT_CODE "EXIT_CODE"     /* status that the command returned */
#define SHIM_EXIT_SIGNAL "EXIT_SIGNAL" /* signal that ended the command */
/* The command was never executed: errno, and at which step. ECANCELED at SHIM_STEP_SETUP, with
 * CANCELLED=1 or STOPPED=1: the cancel was there before the command. */
#define SHIM_EXEC_ERRNO "EXEC_ERRNO"
#define SHIM_LOST "LOST" /* =1: the shim was killed; of the record, written by the keeper */
#define SHIM_EXEC_STEP "EXEC_STEP" /* one of SHIM_STEP_* */
/* Why it was stopped, if it was and that came before the end of the last process: one of three. */
#define SHIM_CANCELLED "CANCELLED" /* =1: CANCEL */
#define SHIM_STOPPED "STOPPED"     /* =1: a signal to the shim */
#define SHIM_LIMIT "LIMIT"         /* the name of the option, as "idle-timeout" */
#define SHIM_LIMIT_REACHED                                                                         \
    "LIMIT_REACHED" /* the value then: microseconds, bytes, threads; with SHIM_LIMIT */
/* =1: the stop timeout ran out, SIGKILL was needed. Not for memory-max, which comes with SIGKILL.
 */
#define SHIM_KILLED "KILLED"
#define SHIM_LOG_DROPPED "LOG_DROPPED" /* bytes of output that were not kept */
#define SHIM_LOG_ERRNO "LOG_ERRNO"     /* why the log could not be written */

#define SHIM_STEP_SETUP "setup"       /* reading the job, making pipes, cgroup and process */
#define SHIM_STEP_TERMINAL "terminal" /* making a terminal */
#define SHIM_STEP_CHDIR "chdir"       /* changing to CWD */
#define SHIM_STEP_STDIN "stdin"       /* opening STDIN_FILE; ESPIPE: it is a FIFO or a socket */
#define SHIM_STEP_EXEC "exec"         /* finding and executing ARGV */

/* Names in a task's runtime folder. */
#define SHIM_CONTROL_NAME "control"
#define SHIM_NOTIFY_NAME "notify"
#define SHIM_EXIT_NAME "exit"
#define SHIM_EXIT_NEW_NAME "exit.new"
#define SHIM_EXIT_RECORD_MAX (16 * KIB)
