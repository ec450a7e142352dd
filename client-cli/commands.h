#pragma once

#include "client-cli/command.h"

/* The commands, one function and table of options each: see main.c. */

#define EXIT_STATUS_HELP                                                                           \
    "Exit status: that of the task (128 + N when signal N ended it), 124 when it timed out, 125\n" \
    "when it was skipped, 130 when it was cancelled and 1 when it failed or was interrupted\n"     \
    "without one; 2: called wrongly; 1: another error."

extern const Option start_options[], run_options[], list_options[], kinds_options[], show_options[],
    log_options[], watch_options[], cancel_options[], pause_options[], resume_options[],
    wait_options[], remove_options[], prune_options[], result_options[], info_options[],
    retry_options[], priority_options[], send_options[], tree_options[], write_options[],
    chat_options[], download_options[], operation_options[];

/* Commands of several words; the last one has no name. */
extern const Command backend_commands[], group_commands[], resource_commands[];

int cmd_start(const Invocation *inv);
int cmd_run(const Invocation *inv);
int cmd_list(const Invocation *inv);
int cmd_kinds(const Invocation *inv);
int cmd_show(const Invocation *inv);
int cmd_log(const Invocation *inv);
int cmd_watch(const Invocation *inv);
int cmd_cancel(const Invocation *inv);
int cmd_pause(const Invocation *inv);
int cmd_resume(const Invocation *inv);
int cmd_wait(const Invocation *inv);
int cmd_remove(const Invocation *inv);
int cmd_prune(const Invocation *inv);
int cmd_info(const Invocation *inv);
int cmd_result(const Invocation *inv);
int cmd_retry(const Invocation *inv);
int cmd_priority(const Invocation *inv);
int cmd_send(const Invocation *inv);
int cmd_tree(const Invocation *inv);
int cmd_write(const Invocation *inv);
int cmd_chat(const Invocation *inv);
int cmd_download(const Invocation *inv);
int cmd_operation(const Invocation *inv);

/* What remove and prune say in the end. EXIT_SUCCESS. */
int print_removed(const Invocation *inv, uint32_t removed);
