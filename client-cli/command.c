#include "client-cli/command.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "client-cli/output.h"
#include "common/cleanup.h"
#include "common/parse.h"

#define OPTIONS_MAX 64 /* of one command */

/* What getopt_long(3) gives for an option: not a character, since not every option has a letter. */
#define OPTION_BASE 0x100

int usage_error(const Command *command, const char *format, ...) {
    _cleanup_free_ char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    print_error("%s: %s\nSee \"longrun %s --help\".", command->name, strempty(text), command->name);
    return EXIT_USAGE;
}

static const Option *find_letter(const Command *command, int letter) {
    for (const Option *o = command->options; o->name; o++)
        if (o->letter == letter)
            return o;
    return NULL;
}

/* Translates the table for getopt_long(3). The leading ':' makes it tell a missing argument from an
 * unknown option, '+' makes it stop at the first argument. */
static void build_getopt(const Command *command, struct option long_options[OPTIONS_MAX + 1],
                         char short_options[2 * OPTIONS_MAX + 3]) {
    size_t n = 0, k = 0;

    if (command->takes_command)
        short_options[k++] = '+';
    short_options[k++] = ':';
    for (const Option *o = command->options; o->name && n < OPTIONS_MAX; o++) {
        if (o->id == OPT_HEADING)
            continue;
        long_options[n++] = (struct option){
            .name = o->name,
            .has_arg = o->argument ? required_argument : no_argument,
            .val = OPTION_BASE + (int)o->id,
        };
        if (o->letter == 0)
            continue;
        short_options[k++] = o->letter;
        if (o->argument)
            short_options[k++] = ':';
    }
    long_options[n] = (struct option){};
    short_options[k] = '\0';
}

static int option_error(const Command *command, int c, char **argv) {
    /* A letter may be one of several in a word; a long option is the word before optind. */
    bool is_letter = optopt > 0 && optopt < OPTION_BASE;
    char letter[] = {'-', (char)optopt, '\0'};
    const char *name = is_letter ? letter : argv[optind - 1];

    if (c == ':')
        usage_error(command, "%s wants an argument", name);
    else if (optopt >= OPTION_BASE)
        usage_error(command, "%s: this option takes no argument", name);
    else
        usage_error(command, "unknown option %s", name);
    return -EINVAL;
}

static int check_count(const Command *command, size_t n) {
    if (n >= command->min_args && n <= command->max_args)
        return 0;
    if (n > command->max_args)
        usage_error(command, "%s",
                    command->max_args == 0 ? "takes no arguments" : "too many arguments");
    else
        usage_error(command, "something is missing: longrun %s %s", command->name,
                    command->synopsis);
    return -EINVAL;
}

/* getopt_long(3) is to pass by a first argument such as "-5", which it would take for an option: it
 * begins behind it, and then puts options before that. */
static bool has_number_first(const Command *command, int argc, char **argv) {
    return command->number_first && argc > 1 && argv[1][0] == '-' &&
           isdigit((unsigned char)argv[1][1]);
}

static void take_back_number(char **argv) {
    char *number = argv[1];

    optind--;
    memmove(&argv[1], &argv[2], (size_t)(optind - 1) * sizeof(char *));
    argv[optind] = number;
}

int command_parse(const Command *command, int argc, char **argv, Invocation *ret) {
    struct option long_options[OPTIONS_MAX + 1];
    char short_options[2 * OPTIONS_MAX + 3];
    /* Those with an argument end their word, the others are noted once: that is room enough. */
    _cleanup_free_ GivenOption *given = calloc((size_t)argc + OPTIONS_MAX, sizeof(GivenOption));
    Invocation inv = {.command = command, .options = given};
    bool number_first = has_number_first(command, argc, argv);

    if (!given) {
        print_error("%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    build_getopt(command, long_options, short_options);
    opterr = 0;
    optind = number_first ? 2 : 0;
    for (int c; (c = getopt_long(argc, argv, short_options, long_options, NULL)) >= 0;) {
        if (c == '?' || c == ':')
            return option_error(command, c, argv);
        OptionId id = c >= OPTION_BASE ? (OptionId)(c - OPTION_BASE) : find_letter(command, c)->id;
        if (optarg || !invocation_has(&inv, id))
            given[inv.n_options++] = (GivenOption){.id = id, .value = optarg};
    }
    if (number_first)
        take_back_number(argv);
    inv.args = argv + optind;
    inv.n_args = (size_t)(argc - optind);
    if (!invocation_has(&inv, OPT_HELP)) {
        int r = check_count(command, inv.n_args);
        if (r < 0)
            return r;
    }
    TAKE_PTR(given);
    *ret = inv;
    return 0;
}

void invocation_done(Invocation *inv) {
    free(inv->options);
    *inv = (Invocation){};
}

bool invocation_has(const Invocation *inv, OptionId id) {
    for (size_t i = 0; i < inv->n_options; i++)
        if (inv->options[i].id == id)
            return true;
    return false;
}

const char *invocation_value(const Invocation *inv, OptionId id) {
    const char *value = NULL;

    for (size_t i = 0; i < inv->n_options; i++)
        if (inv->options[i].id == id)
            value = inv->options[i].value;
    return value;
}

int parse_id(const Command *command, const char *word, uint64_t *ret) {
    uint64_t id;

    if (parse_u64(word, &id) < 0 || id == 0)
        return usage_error(command,
                           "\"%s\" is not the id of a task: a number, as in the first "
                           "column of \"longrun list\"",
                           word);
    *ret = id;
    return 0;
}

uint64_t *invocation_ids(const Invocation *inv) {
    _cleanup_free_ uint64_t *ids = calloc(inv->n_args + 1, sizeof(uint64_t));

    if (!ids) {
        print_error("%s", strerror(ENOMEM));
        return NULL;
    }
    for (size_t i = 0; i < inv->n_args; i++)
        if (parse_id(inv->command, inv->args[i], &ids[i]) != 0)
            return NULL;
    return TAKE_PTR(ids);
}

const char *option_name(const Command *command, OptionId id) {
    for (const Option *o = command->options; o->name; o++)
        if (o->id == id)
            return o->name;
    return NULL;
}

int invocation_u32(const Invocation *inv, OptionId id, uint32_t *ret) {
    const char *word = invocation_value(inv, id);

    if (!word || parse_u32(word, ret) >= 0)
        return 0;
    return usage_error(inv->command, "--%s wants a number, not \"%s\"",
                       option_name(inv->command, id), word);
}

const Command *command_find(const Command *commands, size_t prefix, const char *word) {
    for (const Command *c = commands; c->name; c++)
        if (streq(c->name + prefix, word))
            return c;
    return NULL;
}

/* ---- help ---- */

static void print_option(const Option *o) {
    char left[64];

    if (o->id == OPT_HEADING) {
        printf("\n%s:\n", o->help);
        return;
    }
    snprintf(left, sizeof(left), "%c%c%s --%s%s%s", o->letter ? '-' : ' ', o->letter ?: ' ',
             o->letter ? "," : " ", o->name, o->argument ? " " : "", strempty(o->argument));
    printf("  %s%*s  %s\n", left, 26 - (int)MIN(text_columns(left), (size_t)26), "", o->help);
}

/* --help is the last one of each table, and belongs before the first heading. */
static void print_options(const Option *options) {
    const Option *help = options, *o = options;

    while (help->id != OPT_HELP)
        help++;
    for (; o != help && o->id != OPT_HEADING; o++)
        print_option(o);
    print_option(help);
    for (; o != help; o++)
        print_option(o);
}

/* Of a command that is several. */
static void print_overview(const Command *command) {
    printf("longrun %s COMMAND …\n\n%s\n\n", command->name, command->summary);
    for (const Command *c = command->commands; c->name; c++)
        printf("  longrun %s%s%s\n      %s\n", c->name, c->synopsis[0] ? " " : "", c->synopsis,
               c->summary);
    printf("\nOptions of each: longrun %s COMMAND --help\n", command->name);
}

void command_help(const Command *command) {
    if (command->commands) {
        print_overview(command);
        return;
    }
    printf("longrun %s%s%s\n\n%s\n\n", command->name, command->synopsis[0] ? " " : "",
           command->synopsis, command->summary);
    print_options(command->options);
    if (command->details)
        printf("\n%s\n", command->details);
}
