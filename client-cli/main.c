#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "client-cli/command.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "common/cleanup.h"
#include "version.h"

#define PLAN_HELP                                                                                  \
    "Times are written as 90s, 5min, '2h 30min', 2d, sizes as 512M, 1.5G. --at takes what\n"       \
    "systemd.time(7) calls a timestamp, and a time of day that is past is tomorrow's; "            \
    "--calendar\n"                                                                                 \
    "what it calls a calendar event. A task that does not wait starts when there is a slot."

/* clang-format off */
static const Command commands[] = {
    {"start", "[OPTIONS] [--] COMMAND [ARGUMENT]…", 1, SIZE_MAX,
     "start a command in the background", start_options,
     "The command gets your working directory, environment and umask. No shell comes near it: for\n"
     "pipes and the like say  longrun start -- sh -c '…'\n\n"
     "Its standard input is a file that is on yours (longrun start COMMAND <FILE), up to 1M as a copy,\n"
     "else opened when it starts; but /dev/null instead of a pipe, of which the end might never come.\n"
     "--stdin - reads one: up to 1M before the start, with --follow as it comes, for the first attempt.\n\n"
     PLAN_HELP "\n\n"
     "With --follow it is as if the command ran here: its output as it is, on stdout and stderr, its\n"
     "exit status. But Ctrl-C and Ctrl-Z end and stop the looking on alone; the task goes on.\n\n" EXIT_STATUS_HELP "\n"
     "Without --follow 0 says that the task was started.",
     true, cmd_start},
    {"run", "KIND [OPTIONS]", 1, 1,
     "start a built-in job (see: longrun kinds)", run_options,
     "As in: longrun run map -p 'items[]=one' -p 'items[]=two' -p op=uppercase\n\n"
     PLAN_HELP "\n\n"
     EXIT_STATUS_HELP "\n"
     "Without --follow 0 says that the task was started.",
     false, cmd_run},
    {"download", "[OPTIONS] URL…", 1, SIZE_MAX,
     "download a file, and go on where it was cut off", download_options,
     "Several URLs are mirrors: the same file at several places. It comes into the folder where you are,\n"
     "or as --output says; what is there so far lies beside it till it is whole.\n\n"
     EXIT_STATUS_HELP "\n"
     "Without --follow 0 says that the task was started.",
     false, cmd_download},
    {"operation", "[OPTIONS] BACKEND PATH [BODY | - | @FILE]", 2, 3,
     "start a long operation on a backend, and follow it to its end", operation_options,
     "As in: longrun operation home /api/exports '{\"format\": \"zip\"}'\n"
     "The body is JSON. Where the answer has progress, state and result is found, or said with --param:\n"
     "longrun(1) has the names. A cancel is sent to the backend.\n\n"
     EXIT_STATUS_HELP "\n"
     "Without --follow 0 says that the task was started.",
     false, cmd_operation},
    {"list", "[OPTIONS]", 0, 0,
     "show active tasks and those that ended last", list_options,
     "Newest last. In JSON, an array of tasks; times are microseconds since the epoch, 0 = not yet,\n"
     "progress is 0 to 1, -1 = unknown, as is a rate, which is in units a second.",
     false, cmd_list},
    {"show", "ID", 1, 1,
     "show all about a task", show_options, NULL, false, cmd_show},
    {"log", "[OPTIONS] ID", 1, 1,
     "print what a task has printed", log_options,
     "Escape sequences are left out; to a terminal, colours go through. Binary output takes --raw. Of\n"
     "options that narrow it down all count: of what came --since, the last -n lines. Times are known\n"
     "to 10 ms, in very long logs to 1 s.", false, cmd_log},
    {"watch", "ID", 1, 1,
     "show the progress of a task until it ends", watch_options,
     "On a terminal a bar, with the time that is left, what is done and how fast that goes where they\n"
     "are known; else a line for each change of the state, whole percent or status. In JSON an object\n"
     "a line. Ctrl-C leaves the task running.\n\n" EXIT_STATUS_HELP,
     false, cmd_watch},
    {"tree", "[ID]", 0, 1,
     "show active tasks as parents and children, or all below one task", tree_options,
     "Children that have ended are shown, too. In JSON, an array in the order of the tree: depth tells\n"
     "how far below the top a task is, more-children that some that have ended were left out.", false, cmd_tree},
    {"cancel", "ID… | OPTIONS", 0, SIZE_MAX,
     "ask tasks to stop, with their children", cancel_options,
     "A command gets SIGTERM, after its stop timeout SIGKILL. Without ids, all tasks that match every\n"
     "option. A series ends with its run.", false, cmd_cancel},
    {"retry", "ID… | OPTIONS", 0, SIZE_MAX,
     "start tasks that have ended once more, as new ones", retry_options,
     "Without ids, all tasks that match every option and were not started again yet; of these, without\n"
     "--state, those that have failed, timed out or been interrupted. A new task waits for none of the\n"
     "others that the old one waited for, and for no time.",
     false, cmd_retry},
    {"priority", "N ID… | N OPTIONS", 1, SIZE_MAX,
     "change the place of tasks that have not started", priority_options,
     "In a group the task with the higher number goes first, and of the same number the older one. It\n"
     "may be below zero; at first it is 0.", false, cmd_priority, .number_first = true},
    {"send", "[OPTIONS] ID TEXT…", 2, SIZE_MAX,
     "send a message to a task", send_options,
     "A command gets it as a line on its standard input, if it was started with --stdin-open.", false, cmd_send},
    {"write", "[OPTIONS] ID [FILE]", 1, 2,
     "write to the standard input of a command", write_options,
     "What is on standard input, or in the file, as it is, to its end. It waits for the command, which\n"
     "must have been started with --stdin-open, to start and to read. To close alone:\n"
     "  longrun write --close ID /dev/null", false, cmd_write},
    {"pause", "[ID|GROUP]…", 0, SIZE_MAX,
     "stop tasks where they are, or start nothing more of a group", pause_options,
     "Of a task, which is named by its number, the processes are frozen and the timeout stands still; a\n"
     "cancel works as ever. Of a group nothing more is started, and what runs goes on; it stays so over\n"
     "restarts. Without arguments: every group.", false, cmd_pause},
    {"resume", "[ID|GROUP]…", 0, SIZE_MAX,
     "let paused tasks and groups go on", resume_options,
     "A group that drains takes in tasks again. Without arguments: every group.", false, cmd_resume},
    {.name = "group", .summary = "show, make and change groups of tasks", .commands = group_commands},
    {.name = "backend", .summary = "show, add, watch and ask HTTP services", .commands = backend_commands},
    {"chat", "BACKEND [friends | read PEER | send PEER TEXT…|- | add NAME | remove NAME | delete ID]",
     1, SIZE_MAX,
     "talk with friends over a messenger, a backend of that type", chat_options,
     "A message is a line: its time, received or sent, from or to whom, text. Line breaks in it are ⏎,\n"
     "control characters are left out; in JSON it is as it came. With - each line of standard input is\n"
     "a message; the first that fails ends it. A text that begins with a dash stands behind --.",
     false, cmd_chat},
    {.name = "resource", .summary = "show and set tokens that tasks claim", .commands = resource_commands},
    {"wait", "ID…", 1, SIZE_MAX,
     "wait until tasks have ended", wait_options,
     EXIT_STATUS_HELP "\nOf several tasks the first in the order given that did not succeed counts.",
     false, cmd_wait},
    {"result", "ID", 1, 1,
     "print the result of a task, once: then it is gone", result_options, NULL, false, cmd_result},
    {"remove", "ID…", 1, SIZE_MAX,
     "forget ended tasks, with their logs and results", remove_options, NULL, false, cmd_remove},
    {"prune", "[OPTIONS]", 0, 0,
     "forget all ended tasks, or those of some sort", prune_options,
     "Their logs and results go with them. Tasks that have not ended stay. As in:\n"
     "  longrun prune --state succeeded --older 7d\n"
     "Without a restriction it asks first, and does not run unasked but with --yes.",
     false, cmd_prune},
    {"info", "", 0, 0,
     "show how the daemon is: what runs, what is kept apart", info_options, NULL, false, cmd_info},
    {"kinds", "", 0, 0,
     "show the built-in jobs", kinds_options, NULL, false, cmd_kinds},
    {},
};
/* clang-format on */

static void print_help(FILE *f) {
    fputs("longrun COMMAND …\n\nLong-running work in the background, and in sight.\n\n", f);
    for (const Command *c = commands; c->name; c++)
        fprintf(f, "  %-9s  %s\n", c->name, c->summary);
    fputs("  help       show this help, or with the name of a command that of it\n\n"
          "Options of each command: longrun COMMAND --help. Version: longrun --version\n",
          f);
}

static int unknown_command(const char *name) {
    print_error("there is no command \"%s\"; \"longrun help\" shows those that are", name);
    return EXIT_USAGE;
}

/* Finds the command that the first words name, "group add" for one, and how many words that takes.
 * 0, or EXIT_USAGE after a message. */
static int find_command(int argc, char **argv, const Command **ret, int *ret_words) {
    const Command *command = command_find(commands, 0, argv[0]);

    if (!command)
        return unknown_command(argv[0]);
    *ret_words = 1;
    if (command->commands && argc > 1 && argv[1][0] != '-') {
        const Command *c = command_find(command->commands, strlen(command->name) + 1, argv[1]);
        if (!c)
            return usage_error(command, "there is no command \"%s\"", argv[1]);
        command = c;
        *ret_words = 2;
    }
    *ret = command;
    return 0;
}

static int help(int argc, char **argv) {
    const Command *command;
    int words, r;

    if (argc == 0) {
        print_help(stdout);
        return EXIT_SUCCESS;
    }
    r = find_command(argc, argv, &command, &words);
    if (r != 0)
        return r;
    if (argc > words) {
        print_error("help: too many arguments");
        return EXIT_USAGE;
    }
    command_help(command);
    return EXIT_SUCCESS;
}

static bool asks_for_help(const char *word) {
    return streq(word, "--help") || streq(word, "-h");
}

static int run_command(const Command *command, int argc, char **argv) {
    _cleanup_(invocation_done) Invocation inv = {};
    int r = command_parse(command, argc, argv, &inv);

    if (r < 0)
        return EXIT_USAGE;
    if (invocation_has(&inv, OPT_HELP)) {
        command_help(command);
        return EXIT_SUCCESS;
    }
    r = command->run(&inv);
    return r < 0 ? EXIT_FAILURE : r;
}

static int run(int argc, char **argv) {
    const Command *command;
    int words, r;

    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (streq(argv[1], "help") || asks_for_help(argv[1]))
        return help(argc - 2, argv + 2);
    if (streq(argv[1], "--version")) {
        puts("longrun " LONGRUN_VERSION);
        return EXIT_SUCCESS;
    }
    r = find_command(argc - 1, argv + 1, &command, &words);
    if (r != 0)
        return r;
    if (command->commands && argc == 3 && asks_for_help(argv[2])) {
        command_help(command);
        return EXIT_SUCCESS;
    }
    /* Its name is the last of the words. */
    return run_command(command->commands ?: command, argc - words, argv + words);
}

/* What is closed fails when it is used, and nothing else takes its number: no socket of ours is to
 * get what is meant for stdout. */
static int keep_streams(void) {
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};

    for (int fd = 0; fd < (int)ELEMENTSOF(modes); fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) < 0)
            return -errno;
    return 0;
}

int main(int argc, char **argv) {
    if (keep_streams() < 0)
        return EXIT_FAILURE;
    int status = run(argc, argv);
    int flushed = output_flush();

    return status ?: flushed;
}
