#include "client-cli/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "client-cli/output.h"
#include "common/cleanup.h"
#include "common/parse.h"

#define OPTIONS_MAX 32 /* of one command */

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

int command_parse(const Command *command, int argc, char **argv, Invocation *ret) {
    struct option long_options[OPTIONS_MAX + 1];
    char short_options[2 * OPTIONS_MAX + 3];
    /* Those with an argument end their word, the others are noted once: that is room enough. */
    _cleanup_free_ GivenOption *given = calloc((size_t)argc + OPTIONS_MAX, sizeof(GivenOption));
    Invocation inv = {.command = command, .options = given};

    if (!given) {
        print_error("%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    build_getopt(command, long_options, short_options);
    opterr = 0;
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, short_options, long_options, NULL)) >= 0;) {
        if (c == '?' || c == ':')
            return option_error(command, c, argv);
        OptionId id = c >= OPTION_BASE ? (OptionId)(c - OPTION_BASE) : find_letter(command, c)->id;
        if (optarg || !invocation_has(&inv, id))
            given[inv.n_options++] = (GivenOption){.id = id, .value = optarg};
    }
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

uint64_t *invocation_ids(const Invocation *inv) {
    _cleanup_free_ uint64_t *ids = calloc(inv->n_args + 1, sizeof(uint64_t));

    if (!ids) {
        print_error("%s", strerror(ENOMEM));
        return NULL;
    }
    for (size_t i = 0; i < inv->n_args; i++)
        if (parse_u64(inv->args[i], &ids[i]) < 0 || ids[i] == 0) {
            usage_error(inv->command,
                        "\"%s\" is not the id of a task: a number, as in the first "
                        "column of \"longrun list\"",
                        inv->args[i]);
            return NULL;
        }
    return TAKE_PTR(ids);
}

static void print_option(const Option *o) {
    char left[64];

    snprintf(left, sizeof(left), "%c%c%s --%s%s%s", o->letter ? '-' : ' ', o->letter ?: ' ',
             o->letter ? "," : " ", o->name, o->argument ? " " : "", strempty(o->argument));
    printf("  %-26s  %s\n", left, o->help);
}

void command_help(const Command *command) {
    printf("longrun %s%s%s\n\n%s\n\n", command->name, command->synopsis[0] ? " " : "",
           command->synopsis, command->summary);
    for (const Option *o = command->options; o->name; o++)
        print_option(o);
    if (command->details)
        printf("\n%s\n", command->details);
}
