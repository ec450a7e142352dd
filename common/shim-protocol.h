#pragma once

#include "common/macro.h"

/* How longrund and longrun-shim speak. The shim is started with two descriptors in place:
 *
 *   SHIM_FD_SPEC     a memory file of NUL-terminated KEY=VALUE strings, the job
 *   SHIM_FD_CONTROL  a SOCK_SEQPACKET socket; each packet is one message of common/fields.h
 *
 * and with SIGCHLD and all others unblocked and at their defaults. Further descriptors above these
 * two are closed. When the control socket is closed from the other side, the shim stops its task as
 * for a cancel: nothing runs that nobody can see. SIGTERM, SIGINT and SIGHUP to the shim are a
 * cancel too.
 *
 * Just before the last message the shim stops listening: from then on sending to it gives EPIPE,
 * which only says that the task has ended and that the last message is there to be read. */

#define SHIM_FD_SPEC 3
#define SHIM_FD_CONTROL 4

#define SHIM_SPEC_MAX (16 * MIB) /* the largest job, bytes */

/* Keys of the job. ARGV and ENV may repeat, in order; ENV is the whole environment of the command.
 * ID, LOG_DIR and one ARGV must be there; an unknown key is an error. */
#define SHIM_SPEC_ID "id"
#define SHIM_SPEC_ARGV "argv"
#define SHIM_SPEC_ENV "env"
#define SHIM_SPEC_CWD "cwd"       /* absolute path; without it the shim's own */
#define SHIM_SPEC_UMASK "umask"   /* decimal; without it the shim's own */
#define SHIM_SPEC_NOFILE "nofile" /* soft RLIMIT_NOFILE; without it the shim's own */
#define SHIM_SPEC_STOP_TIMEOUT                                                                     \
    "stop-timeout-usec" /* from SIGTERM to SIGKILL; 0 = SIGKILL at once, without it never */
#define SHIM_SPEC_LOG_DIR "log-dir"
#define SHIM_SPEC_LOG_MAX "log-max" /* bytes; without it no limit */
/* Path to bind for sd_notify(3), at most 107 bytes; without it none. Once it is bound, it is in the
 * command's environment as NOTIFY_SOCKET, in place of one that ENV may have. */
#define SHIM_SPEC_NOTIFY_SOCKET "notify-socket"
/* Bytes for the command's stdin; without it /dev/null. Comes last: its value runs up to the NUL
 * that ends the file, and so may have NULs of its own. */
#define SHIM_SPEC_STDIN "stdin"

/* To the shim. */
#define SHIM_CANCEL "CANCEL" /* =1: SIGTERM to every process, after the stop timeout SIGKILL */
#define SHIM_KILL "KILL"     /* =N: signal N to every process */

/* From the shim, while it runs. */
#define SHIM_STARTED "STARTED"   /* =PID: the command was executed */
#define SHIM_LOG_SIZE "LOG_SIZE" /* bytes in the log now; at most 20 times a second */
#define SHIM_MAIN_EXITED                                                                           \
    "MAIN_EXITED" /* =N: the command ended, N processes of its own making live on */

/* From the command on NOTIFY_SOCKET, passed on at most 20 times a second, the last of each; a value
 * is cut to NOTIFY_VALUE_MAX bytes. */
#define NOTIFY_STATUS "STATUS"
#define NOTIFY_PROGRESS "X_LONGRUN_PROGRESS" /* "42", "42%" or "0.42" */
#define NOTIFY_DONE "X_LONGRUN_DONE"
#define NOTIFY_TOTAL "X_LONGRUN_TOTAL"
#define NOTIFY_PHASE "X_LONGRUN_PHASE"
#define NOTIFY_FINAL_MESSAGE "X_LONGRUN_FINAL_MESSAGE" /* the closing words, kept for the end */
#define NOTIFY_VALUE_MAX (1 * KIB)

/* The last message, when no process of the task is left; SHIM_LOG_SIZE comes with it. Just one of
 * the first three. */
#define SHIM_EXIT_CODE "EXIT_CODE"     /* status that the command returned */
#define SHIM_EXIT_SIGNAL "EXIT_SIGNAL" /* signal that ended the command */
/* The command was never executed: errno, and at which step. ECANCELED at SHIM_STEP_SETUP, with
 * CANCELLED=1: the cancel was there before the command. */
#define SHIM_EXEC_ERRNO "EXEC_ERRNO"
#define SHIM_EXEC_STEP "EXEC_STEP"     /* one of SHIM_STEP_* */
#define SHIM_CANCELLED "CANCELLED"     /* =1: the cancel came before the end of the last process */
#define SHIM_KILLED "KILLED"           /* =1: the stop timeout ran out, SIGKILL was needed */
#define SHIM_LOG_DROPPED "LOG_DROPPED" /* bytes of output that were not kept */
#define SHIM_LOG_ERRNO "LOG_ERRNO"     /* why the log could not be written */

#define SHIM_STEP_SETUP "setup" /* reading the job, making pipes and the process */
#define SHIM_STEP_CHDIR "chdir" /* changing to CWD */
#define SHIM_STEP_EXEC "exec"   /* finding and executing ARGV */
