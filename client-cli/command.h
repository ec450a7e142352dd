#pragma once

#include "common/macro.h"

/* The commands of the program: what they are called, what they take, and what was given to the one
 * that runs. */

#define EXIT_USAGE 2

typedef enum OptionId {
    OPT_ALL,
    OPT_CLEAN_ENV,
    OPT_CPU_WEIGHT,
    OPT_CWD,
    OPT_ENV,
    OPT_FOLLOW,
    OPT_GROUP,
    OPT_HELP,
    OPT_IDLE_TIMEOUT,
    OPT_ISOLATE,
    OPT_JSON,
    OPT_KIND,
    OPT_LABEL,
    OPT_LAST,
    OPT_LOG_MAX,
    OPT_MEMORY_MAX,
    OPT_NICE,
    OPT_OLDER,
    OPT_ON_INTERRUPT,
    OPT_PARAM,
    OPT_PARAMS,
    OPT_PIDS_MAX,
    OPT_QUEUE_TIMEOUT,
    OPT_QUIET,
    OPT_RESULT_MAX,
    OPT_STATE,
    OPT_STOP_TIMEOUT,
    OPT_TIMEOUT,
    OPT_UMASK,
    OPT_UNIQUE,
    OPT_YES,
} OptionId;

typedef struct Option {
    OptionId id;
    char letter; /* 0: it has none */
    const char *name;
    const char *argument; /* what the help calls its argument; NULL: it takes none */
    const char *help;
} Option;

/* --help, and the end of a command's table of options. */
#define OPTIONS_END                                                                                \
    {OPT_HELP, 'h', "help", NULL, "show this help"}, {                                             \
    }

typedef struct Invocation Invocation;

typedef struct Command {
    const char *name;
    const char *synopsis; /* of its arguments */
    size_t min_args, max_args;
    const char *summary;
    const Option *options;
    const char *details; /* more for its help, or NULL */
    bool takes_command; /* options end at the first argument: the rest belongs to another program */
    int (*run)(
        const Invocation *inv); /* gives the exit status; < 0: an error that it has reported */
} Command;

typedef struct GivenOption {
    OptionId id;
    const char *value; /* NULL when it takes none; not owned */
} GivenOption;

struct Invocation {
    const Command *command;
    char **args; /* what is left beside the options, NULL at the end; not owned */
    size_t n_args;
    GivenOption *options; /* owned, in the order given */
    size_t n_options;
};

/* Takes argv apart; argv[0] is the command's name. 0, or -EINVAL after a message about what is
 * wrong. Release with invocation_done(). */
int command_parse(const Command *command, int argc, char **argv, Invocation *ret);
void invocation_done(Invocation *inv);

bool invocation_has(const Invocation *inv, OptionId id);
/* The value that was given last, or NULL. */
const char *invocation_value(const Invocation *inv, OptionId id);

/* Says what is wrong with the way the command was called and where its help is. EXIT_USAGE. */
int usage_error(const Command *command, const char *format, ...) _printf_(2, 3);

/* The arguments as ids of tasks: a fresh array of n_args, or NULL after a message. */
uint64_t *invocation_ids(const Invocation *inv);

void command_help(const Command *command);
