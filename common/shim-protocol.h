#pragma once

/* How longrund and longrun-shim speak. The shim is started with two descriptors in place:
 *
 *   SHIM_FD_SPEC     a memory file of NUL-terminated KEY=VALUE strings, the job
 *   SHIM_FD_CONTROL  a SOCK_SEQPACKET socket; each packet is one message of common/fields.h
 *
 * and with SIGCHLD and all others unblocked and at their defaults. When the control socket is
 * closed from the other side, the shim stops its task as for a cancel: nothing runs that nobody can
 * see. */

#define SHIM_FD_SPEC 3
#define SHIM_FD_CONTROL 4

/* Keys of the job. ARGV and ENV may repeat, in order; ENV is the whole environment of the command.
 */
#define SHIM_SPEC_ID "id"
#define SHIM_SPEC_ARGV "argv"
#define SHIM_SPEC_ENV "env"
#define SHIM_SPEC_CWD "cwd"     /* absolute path */
#define SHIM_SPEC_UMASK "umask" /* decimal */
#define SHIM_SPEC_STDIN "stdin" /* bytes for the command's stdin; without it /dev/null */
#define SHIM_SPEC_STOP_TIMEOUT                                                                     \
    "stop-timeout-usec" /* from SIGTERM to SIGKILL; 0 = SIGKILL at once */
#define SHIM_SPEC_LOG_DIR "log-dir"
#define SHIM_SPEC_LOG_MAX "log-max"             /* bytes */
#define SHIM_SPEC_NOTIFY_SOCKET "notify-socket" /* path to bind for sd_notify(3); without it none  \
                                                 */

/* To the shim. */
#define SHIM_CANCEL "CANCEL" /* =1: SIGTERM to every process, after the stop timeout SIGKILL */
#define SHIM_KILL "KILL"     /* =N: signal N to every process */

/* From the shim, while it runs. */
#define SHIM_STARTED "STARTED"   /* =PID: the command was executed */
#define SHIM_LOG_SIZE "LOG_SIZE" /* bytes in the log now; at most 20 times a second */
#define SHIM_MAIN_EXITED                                                                           \
    "MAIN_EXITED" /* =N: the command ended, N processes of its own making live on */

/* From the command on NOTIFY_SOCKET, passed on at most 20 times a second, the last of each. */
#define NOTIFY_STATUS "STATUS"
#define NOTIFY_PROGRESS "X_LONGRUN_PROGRESS" /* "42", "42%" or "0.42" */
#define NOTIFY_DONE "X_LONGRUN_DONE"
#define NOTIFY_TOTAL "X_LONGRUN_TOTAL"
#define NOTIFY_PHASE "X_LONGRUN_PHASE"
#define NOTIFY_FINAL_MESSAGE "X_LONGRUN_FINAL_MESSAGE" /* the closing words, kept for the end */

/* The last message, when no process of the task is left; SHIM_LOG_SIZE comes with it. Just one of
 * the first three. */
#define SHIM_EXIT_CODE "EXIT_CODE"     /* status that the command returned */
#define SHIM_EXIT_SIGNAL "EXIT_SIGNAL" /* signal that ended the command */
#define SHIM_EXEC_ERRNO "EXEC_ERRNO"   /* the command was never executed: errno, and at which step \
                                        */
#define SHIM_EXEC_STEP "EXEC_STEP"     /* "chdir", "exec" or "setup" */
#define SHIM_CANCELLED "CANCELLED"     /* =1: the cancel came before the end of the last process */
#define SHIM_KILLED "KILLED"           /* =1: the stop timeout ran out, SIGKILL was needed */
#define SHIM_LOG_DROPPED "LOG_DROPPED" /* bytes of output that were not kept */
#define SHIM_LOG_ERRNO "LOG_ERRNO"     /* why the log could not be written */
