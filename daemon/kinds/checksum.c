#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "common/parse.h"
#include "common/strv.h"
#include "daemon/kinds/checksum-hash.h"
#include "daemon/kinds/checksum-name.h"
#include "daemon/kinds/checksum-walk.h"
#include "daemon/kinds/kinds.h"

#define PATHS_MAX ((size_t)1000)
#define PATH_LENGTH_MAX ((size_t)PATH_MAX - 1)
/* What the result may need of memory, whatever result-max says. */
#define RESULT_MAX ((size_t)8 * MIB)

typedef struct Checksum {
    TaskContext *context; /* not owned */
    char **paths;         /* sorted, no doubles */
    size_t n_paths;
    int algorithm;
    KindPace pace;

    uint64_t total; /* bytes that the scan counted */
    uint64_t done;  /* of these */
    uint64_t n_failed;
    char *first_failure; /* NULL: none */
    uint64_t n_hashed, bytes_hashed;

    const char *current; /* path of the file under way; not owned */
    bool current_shown;
    uint64_t current_left; /* bytes of it that are not in done yet */

    FILE *result; /* the JSON text so far */
    size_t result_size;
} Checksum;

/* Takes out double slashes, "." parts and a slash at the end; ".." stays, since what it means
 * depends on symlinks. */
static void normalize_path(char *path) {
    char *out = path;

    for (const char *p = path; *p;) {
        size_t part = strcspn(++p, "/");
        if (part > 0 && !(part == 1 && *p == '.')) {
            *out++ = '/';
            memmove(out, p, part);
            out += part;
        }
        p += part;
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
}

static int take_path(const cJSON *item, size_t i, char **ret, char **ret_error) {
    _cleanup_free_ char *shown = NULL;

    if (!cJSON_IsString(item) || item->valuestring[0] != '/') {
        shown = kind_describe_value(item);
        return kind_params_error(ret_error, "paths[%zu] must be an absolute path, not %s", i,
                                 strempty(shown));
    }
    if (strlen(item->valuestring) > PATH_LENGTH_MAX)
        return kind_params_error(ret_error, "paths[%zu] is longer than %zu bytes", i,
                                 PATH_LENGTH_MAX);
    *ret = strdup(item->valuestring);
    if (!*ret)
        return -ENOMEM;
    normalize_path(*ret);
    return 0;
}

static int compare_strings(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts, and takes out doubles; gives how many are left. */
static size_t sort_unique(char **paths, size_t n) {
    size_t kept = 0;

    qsort(paths, n, sizeof(*paths), compare_strings);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && streq(paths[kept - 1], paths[i]))
            free(paths[i]);
        else
            paths[kept++] = paths[i];
    }
    paths[kept] = NULL;
    return kept;
}

static int parse_paths(const cJSON *params, char ***ret, size_t *ret_n, char **ret_error) {
    _cleanup_(strv_freep) char **paths = NULL;
    const cJSON *array, *item;
    size_t n = 0;
    int r;

    r = kind_param_array(params, "paths", "absolute paths", 1, PATHS_MAX, &array, ret_error);
    if (r < 0)
        return r;
    paths = calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof(*paths));
    if (!paths)
        return -ENOMEM;
    cJSON_ArrayForEach (item, array) {
        r = take_path(item, n, &paths[n], ret_error);
        if (r < 0)
            return r;
        n++;
    }
    *ret_n = sort_unique(paths, n);
    *ret = TAKE_PTR(paths);
    return 0;
}

static int parse_algorithm(const cJSON *params, int *ret, char **ret_error) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(params, "algorithm");
    int algorithm = -EINVAL;

    if (!value)
        algorithm = checksum_algorithm_from_name("sha256");
    else if (cJSON_IsString(value))
        algorithm = checksum_algorithm_from_name(value->valuestring);
    if (algorithm < 0) {
        _cleanup_free_ char *shown = value ? kind_describe_value(value) : strdup("'sha256'");
        return kind_params_error(
            ret_error,
            "parameter 'algorithm' must be the name of a digest that libgcrypt "
            "offers on this system, such as sha256, sha512, sha3-256, "
            "blake2b-512, sha1 or md5, not %s",
            strempty(shown));
    }
    *ret = algorithm;
    return 0;
}

static int checksum_parse(const cJSON *params, Checksum *ret, char **ret_error) {
    static const char *const names[] = {"paths", "algorithm", NULL};
    int algorithm = -EINVAL, r;

    r = kind_check_names(params, names, ret_error);
    if (r < 0)
        return r;
    r = parse_algorithm(params, &algorithm, ret_error);
    if (r < 0)
        return r;
    r = parse_paths(params, &ret->paths, &ret->n_paths, ret_error);
    if (r < 0)
        return r;
    ret->algorithm = algorithm;
    return 0;
}

static void checksum_done(Checksum *s) {
    strv_free(s->paths);
    free(s->first_failure);
}

static int checksum_check(const cJSON *params, char **ret_error) {
    _cleanup_(checksum_done) Checksum s = {};

    return checksum_parse(params, &s, ret_error);
}

/* ---- phase "scan" ---- */

static void scan_report(Checksum *s, uint64_t files) {
    char size[FORMAT_MAX];

    if (!kind_pace_due(&s->pace))
        return;
    task_context_progress_bytes(s->context, s->total, 0);
    task_context_status(s->context, "Counting: %" PRIu64 " files, %s", files,
                        format_size(size, s->total));
}

/* Errors are left to the phase that follows: it meets the same ones. */
static int scan(Checksum *s) {
    _cleanup_(checksum_walk_freep) ChecksumWalk *walk = NULL;
    ChecksumEntry entry;
    uint64_t files = 0;
    int r;

    task_context_phase(s->context, "scan");
    r = checksum_walk_new(s->paths, s->n_paths, &walk);
    if (r < 0)
        return r;
    while ((r = checksum_walk_next(walk, &entry)) > 0) {
        if (task_context_cancelled(s->context))
            return -ECANCELED;
        if (entry.type != CHECKSUM_FILE)
            continue;
        files++;
        if (__builtin_add_overflow(s->total, entry.size, &s->total))
            s->total = UINT64_MAX;
        scan_report(s, files);
    }
    return r;
}

/* ---- phase "hash" ---- */

/* The total stays what the scan found. A file that has grown since counts with what it had, and
 * one below the total is the limit: all of it is for the end, when nothing can fail any more. */
static void hash_report(Checksum *s) {
    if (!kind_pace_due(&s->pace))
        return;
    if (!s->current_shown)
        task_context_status(s->context, "%s", s->current);
    s->current_shown = true;
    if (s->total > 0)
        task_context_progress_bytes(s->context, MIN(s->done, s->total - 1), s->total);
}

static void count_done(Checksum *s, uint64_t size) {
    size = MIN(size, s->current_left);
    s->current_left -= size;
    if (__builtin_add_overflow(s->done, size, &s->done))
        s->done = UINT64_MAX;
}

static int on_block(size_t size, void *userdata) {
    Checksum *s = userdata;

    if (task_context_cancelled(s->context))
        return -ECANCELED;
    s->bytes_hashed += size;
    count_done(s, size);
    hash_report(s);
    return 0;
}

static int note_failure(Checksum *s, const char *path, const char *reason) {
    _cleanup_free_ char *name = checksum_name_for_line(path);

    if (!name)
        return -ENOMEM;
    task_context_log_error(s->context, "%s: %s", name, reason);
    s->n_failed++;
    if (!s->first_failure && asprintf(&s->first_failure, "%s: %s", name, reason) < 0) {
        s->first_failure = NULL;
        return -ENOMEM;
    }
    return 0;
}

/* A line as sha256sum(1) prints it: with an escaped name, the mark comes before the digest. */
static int log_digest(Checksum *s, const char *path, const char *hex) {
    _cleanup_free_ char *name = checksum_name_for_line(path);

    if (!name)
        return -ENOMEM;
    bool escaped = name[0] == '\\';
    task_context_log(s->context, "%s%s  %s", escaped ? "\\" : "", hex, name + escaped);
    return 0;
}

/* Adds to the JSON text as long as it is not too large; only its size is counted then. */
static int result_add(Checksum *s, const char *text) {
    s->result_size += strlen(text);
    if (s->result_size > RESULT_MAX)
        return 0;
    return fputs(text, s->result) < 0 ? -ENOMEM : 0;
}

static int put_digest(Checksum *s, const char *path, const char *hex) {
    _cleanup_free_ char *name = checksum_name_for_json(path), *quoted = NULL, *member = NULL;
    _cleanup_(cJSON_Deletep) cJSON *key = name ? cJSON_CreateStringReference(name) : NULL;

    quoted = key ? cJSON_PrintUnformatted(key) : NULL;
    if (!quoted)
        return -ENOMEM;
    if (asprintf(&member, "%s%s:\"%s\"", s->n_hashed > 0 ? "," : "", quoted, hex) < 0) {
        member = NULL;
        return -ENOMEM;
    }
    return result_add(s, member);
}

static int hash_file(Checksum *s, ChecksumHasher *hasher, const ChecksumEntry *entry) {
    char hex[CHECKSUM_HEX_MAX];
    int r;

    s->current = entry->path;
    s->current_shown = false;
    s->current_left = entry->size;
    hash_report(s);
    r = checksum_hasher_file(hasher, entry->path, entry->named, on_block, s, hex);
    /* A file system may fail with the same number; then it is the file's error. */
    if (r == -ECANCELED && task_context_cancelled(s->context))
        return r;
    count_done(s, s->current_left);
    if (r < 0)
        return note_failure(s, entry->path, strerror(-r));

    r = log_digest(s, entry->path, hex);
    if (r < 0)
        return r;
    r = put_digest(s, entry->path, hex);
    if (r < 0)
        return r;
    s->n_hashed++;
    return 0;
}

/* Found in a folder it is passed over; asked for by name, no digest is a failure. */
static int note_special(Checksum *s, const ChecksumEntry *entry) {
    static const char what[] = "neither a file nor a folder, not opened";

    if (entry->named)
        return note_failure(s, entry->path, what);
    _cleanup_free_ char *name = checksum_name_for_line(entry->path);
    if (!name)
        return -ENOMEM;
    task_context_log_error(s->context, "%s: skipped: %s", name, what);
    return 0;
}

static int hash_entry(Checksum *s, ChecksumHasher *hasher, const ChecksumEntry *entry) {
    switch (entry->type) {
    case CHECKSUM_FILE:
        return hash_file(s, hasher, entry);
    case CHECKSUM_SPECIAL:
        return note_special(s, entry);
    case CHECKSUM_ERROR:
        return note_failure(s, entry->path, strerror(-entry->error));
    case CHECKSUM_PASSED:
        break;
    }
    return 0;
}

static int hash(Checksum *s) {
    _cleanup_(checksum_hasher_freep) ChecksumHasher *hasher = NULL;
    _cleanup_(checksum_walk_freep) ChecksumWalk *walk = NULL;
    ChecksumEntry entry;
    int r;

    task_context_phase(s->context, "hash");
    s->pace = (KindPace){};
    r = checksum_hasher_new(s->algorithm, &hasher);
    if (r < 0)
        return r;
    r = checksum_walk_new(s->paths, s->n_paths, &walk);
    if (r < 0)
        return r;
    r = result_add(s, "{");
    while (r >= 0 && (r = checksum_walk_next(walk, &entry)) > 0) {
        if (task_context_cancelled(s->context))
            return -ECANCELED;
        r = hash_entry(s, hasher, &entry);
    }
    return r < 0 ? r : result_add(s, "}");
}

/* ---- the end ---- */

/* -EFBIG when it is larger than the task or anyone may keep. */
static int put_result(Checksum *s, const char *json) {
    return s->result_size > RESULT_MAX ? -EFBIG : task_context_set_result(s->context, json);
}

static int fail_for_files(Checksum *s, int result_error) {
    task_context_message(
        s->context, "%" PRIu64 " of %" PRIu64 " files could not be read, the first: %s%s",
        s->n_failed, s->n_failed + s->n_hashed, s->first_failure,
        result_error == -EFBIG ? "; the result is too large as well, see result-max"
        : result_error < 0     ? "; the result could not be stored either"
                               : "");
    return -EIO;
}

/* The digests are in the log in any case: a result that is too large is missed by those who want it
 * alone, and the closing words tell them. */
static int conclude(Checksum *s, const char *json) {
    TaskContext *c = s->context;
    char size[FORMAT_MAX], result_size[FORMAT_MAX];
    int r = put_result(s, json);

    if (s->n_failed > 0)
        return fail_for_files(s, r);
    if (r < 0 && r != -EFBIG) {
        task_context_message(c, "The result could not be stored: %s", strerror(-r));
        return r;
    }
    if (s->total > 0)
        task_context_progress_bytes(c, s->total, s->total);
    format_size(size, s->bytes_hashed);
    if (r < 0)
        task_context_message(c,
                             "%" PRIu64 " files, %s; the digests are in the log alone: a result of "
                             "%s is more than result-max",
                             s->n_hashed, size, format_size(result_size, s->result_size));
    else
        task_context_message(c, "%" PRIu64 " %s, %s", s->n_hashed,
                             s->n_hashed == 1 ? "file" : "files", size);
    return 0;
}

static int scan_and_hash(Checksum *s) {
    int r = scan(s);

    return r < 0 ? r : hash(s);
}

static int checksum_run(TaskContext *c, const cJSON *params) {
    _cleanup_free_ char *error = NULL, *json = NULL;
    _cleanup_(checksum_done) Checksum s = {.context = c};
    size_t size;
    int r;

    r = checksum_parse(params, &s, &error);
    if (r < 0)
        return kind_fail_params(c, r, error);

    s.result = open_memstream(&json, &size);
    if (!s.result)
        return -ENOMEM;
    r = scan_and_hash(&s);
    /* json is there, and complete, when its stream is closed. */
    if (fclose(s.result) != 0 && r >= 0)
        r = -ENOMEM;
    if (r == -ECANCELED)
        task_context_message(c, "Cancelled");
    return r < 0 ? r : conclude(&s, json);
}

const Kind kind_checksum = {
    .name = "checksum",
    .description = "Digests of files and of all files in folders, for sha256sum -c and as JSON",
    .check = checksum_check,
    .run = checksum_run,
};
