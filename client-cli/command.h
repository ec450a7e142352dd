#pragma once

#include "common/macro.h"

/* The commands of the program: what they are called, what they take, and what was given to the one
 * that runs. */

#define EXIT_USAGE 2

typedef enum OptionId {
    OPT_AFTER,
    OPT_AFTER_ANY,
    OPT_AFTER_FAILED,
    OPT_ALL,
    OPT_AT,
    OPT_ATTEMPT,
    OPT_AUTH,
    OPT_BODY_FILE,
    OPT_CALENDAR,
    OPT_CA_FILE,
    OPT_CHILDREN,
    OPT_CLEAN_ENV,
    OPT_CLIENT_CERT,
    OPT_CLIENT_KEY,
    OPT_CLOSE,
    OPT_COLOR,
    OPT_CPU_WEIGHT,
    OPT_CREDENTIAL,
    OPT_CWD,
    OPT_ENV,
    OPT_EVERY,
    OPT_EXPECT,
    OPT_EXPECT_STATUS,
    OPT_FAILURE_THRESHOLD,
    OPT_FOLLOW,
    OPT_GROUP,
    OPT_HEADER,
    OPT_HEADING, /* of those that follow, for the help alone */
    OPT_HELP,
    OPT_IDLE_TIMEOUT,
    OPT_ISOLATE,
    OPT_JSON,
    OPT_KIND,
    OPT_LABEL,
    OPT_LAST,
    OPT_LINES,
    OPT_LOG_MAX,
    OPT_MAX_PARALLEL,
    OPT_MAX_QUEUED,
    OPT_MEMORY_MAX,
    OPT_METHOD,
    OPT_NICE,
    OPT_NO_POLLING,
    OPT_NOTIFY,
    OPT_OLDER,
    OPT_ON_INTERRUPT,
    OPT_OUTPUT,
    OPT_OVERWRITE,
    OPT_PARAM,
    OPT_PARAMS,
    OPT_PARENT,
    OPT_PERSISTENT,
    OPT_PIDS_MAX,
    OPT_POLL_INTERVAL,
    OPT_POLL_PATH,
    OPT_PRIORITY,
    OPT_PTY,
    OPT_PTY_SIZE,
    OPT_QUEUE_TIMEOUT,
    OPT_QUIET,
    OPT_RAW,
    OPT_RESOURCE,
    OPT_RESULT_MAX,
    OPT_RETRIES,
    OPT_RETRY_DELAY,
    OPT_RETRY_ON,
    OPT_SET,
    OPT_SHA256,
    OPT_SINCE,
    OPT_SIZE,
    OPT_STATE,
    OPT_STATUS_INTERVAL,
    OPT_STATUS_PATH,
    OPT_STDERR,
    OPT_STDIN,
    OPT_STDIN_OPEN,
    OPT_STDOUT,
    OPT_STOP_TIMEOUT,
    OPT_SUCCESS_THRESHOLD,
    OPT_TIMEOUT,
    OPT_TIMESTAMPS,
    OPT_TYPE,
    OPT_UMASK,
    OPT_UNIQUE,
    OPT_UNSET,
    OPT_WHEN_ONLINE,
    OPT_YES,
} OptionId;

typedef struct Option {
    OptionId id;
    char letter; /* 0: it has none */
    const char *name;
    const char *argument; /* what the help calls its argument; NULL: it takes none */
    const char *help;
} Option;

#define OPTIONS_HEADING(title)                                                                     \
    { OPT_HEADING, 0, "", NULL, title }

/* --help, and the end of a command's table of options. */
#define OPTIONS_END                                                                                \
    {OPT_HELP, 'h', "help", NULL, "show this help"}, {                                             \
    }

typedef struct Invocation Invocation;
typedef struct Command Command;

struct Command {
    const char *name;
    const char *synopsis; /* of its arguments */
    size_t min_args, max_args;
    const char *summary;
    const Option *options;
    const char *details; /* more for its help, or NULL */
    bool takes_command; /* options end at the first argument: the rest belongs to another program */
    int (*run)(
        const Invocation *inv); /* gives the exit status; < 0: an error that it has reported */
    bool number_first;          /* the first argument is a number, and may be below zero */
    /* Instead of all of the above but name and summary: commands whose names begin with this one's
     * and a space, such as "group add". The first of them is meant when none is named. The last one
     * has no name. */
    const Command *commands;
};

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
/* One word as such. 0, or EXIT_USAGE after a message. */
int parse_id(const Command *command, const char *word, uint64_t *ret);

/* The value of an option as a number. 0 when it was not given, too, and *ret is left alone then;
 * else EXIT_USAGE after a message. */
int invocation_u32(const Invocation *inv, OptionId id, uint32_t *ret);

/* The name of an option of the command, without the dashes. */
const char *option_name(const Command *command, OptionId id);

/* The one of these commands, up to the one without a name, that is called so, or NULL. What they
 * all begin with ("group ") is left out of the word. */
const Command *command_find(const Command *commands, size_t prefix, const char *word);

void command_help(const Command *command);
