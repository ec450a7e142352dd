#include "tests/backend/file.h"

#include "common/clock.h"
#include "tests/backend/document.h"
#include "tests/backend/memory.h"

#define PAGE 4096
#define HEAD 31
#define PIECES_A_SECOND 20

void files_clear(Files *f) {
    File *one, *next;

    HASH_ITER (hh, f->all, one, next) {
        HASH_DEL(f->all, one);
        free(one->name);
        free(one);
    }
}

static File *file_get(Files *f, const char *name) {
    File *one;

    HASH_FIND_STR(f->all, name, one);
    if (one || HASH_COUNT(f->all) >= FILES_MAX)
        return one;
    one = must(calloc(1, sizeof(*one)));
    *one = (File){.name = must_copy(name), .seed = 1, .ranges = true, .etag = true};
    HASH_ADD_KEYPTR(hh, f->all, one->name, strlen(one->name), one);
    return one;
}

void files_set(Files *f, const char *name, const cJSON *file) {
    File *one = file_get(f, name);

    if (!one)
        return;
    unsigned version = one->version;
    one->size = (uint64_t)json_number(file, "size", (double)one->size);
    one->seed = (unsigned)json_number(file, "seed", one->seed);
    one->version = (unsigned)json_number(file, "version", version > 0 ? version : 1);
    one->ranges = json_bool(file, "ranges", one->ranges);
    one->weak = streq(json_string(file, "etag", ""), "weak");
    one->etag = json_bool(file, "etag", one->etag);
    one->last_modified = json_bool(file, "last_modified", one->last_modified);
    one->rate = (uint64_t)json_number(file, "rate", (double)one->rate);
    one->change_at = (uint64_t)json_number(file, "change_at", 0);
    one->mix = streq(json_string(file, "change", "cut"), "mix");
    if (one->version != version)
        one->changed = clock_usec(CLOCK_REALTIME) / USEC_PER_SEC;
}

cJSON *files_to_json(const Files *f) {
    cJSON *j = cJSON_CreateObject();

    for (const File *one = f->all; one; one = one->hh.next) {
        cJSON *item = cJSON_AddObjectToObject(j, one->name);
        cJSON_AddNumberToObject(item, "size", (double)one->size);
        cJSON_AddNumberToObject(item, "seed", one->seed);
        cJSON_AddNumberToObject(item, "version", one->version);
    }
    return j;
}

/* ---- what is in it ---- */

static void page_fill(const File *f, unsigned version, uint64_t number, char page[PAGE]) {
    (void)snprintf(page, PAGE, "%08x %08x %012llx\n", f->seed, version, (unsigned long long)number);
    for (size_t i = HEAD; i < PAGE; i++)
        page[i] = (char)(i - HEAD);
}

/* What is read is of the version that there was when the answer began, or of the newest. */
static size_t body_file(Exchange *e, uint64_t pos, char *buf, size_t max) {
    File *f = e->from;
    uint64_t at = e->range_begin + pos;
    char page[PAGE];

    if (f->change_at > 0 && at >= f->change_at) {
        f->change_at = 0;
        f->version++;
        f->changed = clock_usec(CLOCK_REALTIME) / USEC_PER_SEC + f->version; /* told apart */
    }
    if (e->version != f->version && !f->mix)
        return 0;
    for (size_t n = 0; n < max;) {
        uint64_t offset = (at + n) % PAGE;
        size_t part = MIN(max - n, PAGE - offset);
        page_fill(f, f->version, (at + n) / PAGE, page);
        memcpy(buf + n, page + offset, part);
        n += part;
    }
    return max;
}

/* ---- requests ---- */

static char *etag_of(const File *f) {
    if (!f->etag)
        return NULL;
    return must_printf("%s\"%x-%x-%llx\"", f->weak ? "W/" : "", f->seed, f->version,
                       (unsigned long long)f->size);
}

/* If-Range, RFC 9110, 13.1.5: the range only of what the client has a part of; weak tags never. */
static bool is_same(const Exchange *e, const char *etag, const File *f) {
    const char *condition = exchange_header(e, "If-Range");
    char date[HTTP_DATE_SIZE];

    if (!condition)
        return true;
    if (etag && etag[0] == '"' && streq(condition, etag))
        return true;
    return f->last_modified && streq(condition, http_date(date, f->changed));
}

static void set_pace(Exchange *e, const File *f) {
    if (f->rate == 0)
        return;
    e->delivery.piece = MAX(f->rate / PIECES_A_SECOND, 1U);
    e->delivery.pause_usec = USEC_PER_SEC / PIECES_A_SECOND;
}

static void get(Exchange *e, File *f) {
    _cleanup_free_ char *etag = etag_of(f);
    const char *range = exchange_header(e, "Range");
    uint64_t begin, end;
    int r;

    if (document_is_known(e, etag, f->last_modified ? f->changed : 0))
        return;
    if (f->ranges)
        reply_header(e, "Accept-Ranges", "bytes");
    r = range_parse(f->ranges && is_same(e, etag, f) ? range : NULL, f->size, &begin, &end);
    if (r < 0) {
        reply_error(e, 416, "the file has %llu bytes", (unsigned long long)f->size);
        reply_header(e, "Content-Range", "bytes */%llu", (unsigned long long)f->size);
        return;
    }
    reply_empty(e, r > 0 ? 206 : 200);
    reply_header(e, "Content-Type", "application/octet-stream");
    if (r > 0)
        reply_header(e, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)begin,
                     (unsigned long long)end - 1, (unsigned long long)f->size);
    e->from = f;
    e->version = f->version;
    e->range_begin = begin;
    e->reply.read = body_file;
    e->reply.size = end - begin;
    set_pace(e, f);
}

bool files_route(Exchange *e, Files *f) {
    const char *name = exchange_below(e, "/files/");
    File *one;

    if (!name)
        return false;
    HASH_FIND_STR(f->all, name, one);
    if (one && exchange_is(e, "GET"))
        get(e, one);
    else
        reply_error(e, one ? 405 : 404, "%s: %s", one ? "not allowed" : "no such file", name);
    return true;
}
