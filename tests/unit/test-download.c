/* Downloads, without a server: names, heads of answers, mirrors, the state on disk, and what of a
 * partial file is taken. */

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/http/download-answer.h"
#include "daemon/http/download-file.h"
#include "daemon/http/download-hash.h"
#include "daemon/http/download-mirrors.h"
#include "daemon/http/download-name.h"
#include "tests/unit/unit.h"

/* ---- names ---- */

static const struct {
    const char *url, *name; /* NULL: none */
} names[] = {
    {"http://a/b", "b"},
    {"http://a:80/x/y.tar.gz?v=1/2#z", "y.tar.gz"},
    {"https://a/x/", NULL},
    {"https://a", NULL},
    {"https://a?b=/c", NULL},
    {"https://a#b/c", NULL},
    {"http://a/a%20b", "a b"},
    {"http://a/gr%C3%B6%c3%9fe", "größe"},
    {"http://a/..", "_."},
    {"http://a/.", "_"},
    {"http://a/%2e%2e%2fetc%2fpasswd", "_._etc_passwd"},
    {"http://a/.bashrc", "_bashrc"},
    {"http://a/x%00y", "x_y"},
    {"http://a/x%0ay%7f", "x_y_"},
    {"http://a/%ff%fe", "__"},
    {"http://a/100%", "100%"},
    {"http://a/%zz%4", "%zz%4"},
};

START_TEST(test_name) {
    _cleanup_free_ char *name = download_name_from_url(names[_i].url);

    if (names[_i].name)
        ck_assert_str_eq(name, names[_i].name);
    else
        ck_assert_ptr_null(name);
}
END_TEST

START_TEST(test_long_names) {
    char url[1024] = "http://a/", part[DOWNLOAD_NAME_MAX + 1], other[DOWNLOAD_NAME_MAX + 1];

    for (int i = 0; i < 150; i++)
        strcat(url, "\xc3\xb6");
    _cleanup_free_ char *name = download_name_from_url(url);
    ck_assert_uint_eq(strlen(name), 254); /* no half character */
    download_name_partial(name, "", part);
    download_name_partial(name, ".state", other);
    ck_assert_uint_le(strlen(other), DOWNLOAD_NAME_MAX);
    ck_assert_int_eq(strncmp(part, other, strlen(part)), 0);
    name[0] = 'x';
    download_name_partial(name, "", other);
    ck_assert_str_ne(part, other);
    download_name_partial("a", "", part);
    ck_assert_str_eq(part, ".a.longrun-part");
}
END_TEST

/* ---- heads of answers ---- */

#define NONE UINT64_MAX

static const struct {
    const char *text;
    int r;
    uint64_t first, last, total;
} ranges[] = {
    {"bytes 0-0/1", 0, 0, 0, 1},
    {"bytes 5-9/10", 0, 5, 9, 10},
    {"Bytes 5-9/*", 0, 5, 9, NONE},
    {"bytes */10", 0, 1, 0, 10},
    {"bytes */*", -EINVAL},
    {"bytes 5-9", -EINVAL},
    {"bytes 9-5/10", -EINVAL},
    {"bytes 5-10/10", -EINVAL},
    {"bytes 5-9/10x", -EINVAL},
    {"bytes -9/10", -EINVAL},
    {"bytes 5-/10", -EINVAL},
    {"bytes=5-9/10", -EINVAL},
    {"lines 5-9/10", -EINVAL},
    {"bytes 5-9/99999999999999999999999", -EINVAL},
    {"bytes 5-9/18446744073709551615", -EINVAL},
    {"", -EINVAL},
};

START_TEST(test_range) {
    ContentRange c;

    ck_assert_int_eq(content_range_parse(ranges[_i].text, &c), ranges[_i].r);
    if (ranges[_i].r < 0)
        return;
    ck_assert_uint_eq(c.first, ranges[_i].first);
    ck_assert_uint_eq(c.last, ranges[_i].last);
    ck_assert_uint_eq(c.total, ranges[_i].total);
}
END_TEST

static void take(DownloadAnswer *a, const char *const *lines) {
    for (; *lines; lines++)
        ck_assert_int_eq(download_answer_line(a, *lines, strlen(*lines)), 0);
}

START_TEST(test_answer) {
    DownloadAnswer a = {};

    take(&a, (const char *const[]){"HTTP/1.1 301 Moved\r\n", "ETag: \"old\"\r\n",
                                   "Content-Length: 5\r\n", "\r\n", "HTTP/2 206 \r\n",
                                   "content-length:  100 \r\n", "etag: \"x\"\r\n",
                                   "ETag: \"y\"\r\n", "Content-Range: bytes 100-199/200\r\n",
                                   "Retry-After: 3\r\n", "Nonsense\r\n", "\r\n", NULL});
    ck_assert_uint_eq(a.status, 206);
    ck_assert_uint_eq(a.length, 100);
    ck_assert(a.has_range);
    ck_assert_uint_eq(a.range.total, 200);
    ck_assert_str_eq(a.etag, "\"x\"");
    ck_assert_str_eq(a.retry_after, "3");
    take(&a, (const char *const[]){"HTTP/1.1 200 OK", "Content-Length: many", NULL});
    ck_assert_uint_eq(a.length, NONE);
    ck_assert(!a.has_range && !a.etag);
    download_answer_done(&a);
}
END_TEST

static const struct {
    const char *lines[4];
    const char *validator;
} validators[] = {
    {{"ETag: \"x\""}, "\"x\""},
    {{"ETag: W/\"x\""}, NULL},
    {{"ETag: x"}, NULL},
    {{"ETag: \""}, NULL},
    {{"ETag: \"x\rX: y\""}, NULL}, /* a header of the server's own in our next request */
    {{"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", "Date: Sun, 06 Nov 1994 08:50:37 GMT"},
     "Sun, 06 Nov 1994 08:49:37 GMT"},
    /* It may have changed twice in that second. */
    {{"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", "Date: Sun, 06 Nov 1994 08:50:36 GMT"}, NULL},
    {{"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"}, NULL},
    {{"Last-Modified: today", "Date: Sun, 06 Nov 1994 08:50:36 GMT"}, NULL},
    /* A server that says "weak" knows that it changes. */
    {{"ETag: W/\"x\"", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
      "Date: Sun, 06 Nov 1994 09:50:37 GMT"},
     NULL},
    {{"Date: Sun, 06 Nov 1994 08:50:36 GMT"}, NULL},
};

START_TEST(test_validator) {
    DownloadAnswer a = {};

    take(&a, validators[_i].lines);
    const char *validator = download_answer_validator(&a);
    if (validators[_i].validator)
        ck_assert_str_eq(validator, validators[_i].validator);
    else
        ck_assert_ptr_null(validator);
    download_answer_done(&a);
}
END_TEST

/* ---- mirrors ---- */

static char *three[] = {(char *)"http://a/", (char *)"http://b/", (char *)"http://c/", NULL};

START_TEST(test_mirrors_in_turn) {
    Mirrors m;

    ck_assert_int_eq(mirrors_init(&m, three), 0);
    Mirror *a = mirrors_next(&m, NULL);
    ck_assert_str_eq(a->url, "http://a/");
    ck_assert(!mirrors_all_failed(&m));
    mirror_failed(a, "no", 0, 0, 0);
    Mirror *b = mirrors_next(&m, NULL);
    ck_assert_str_eq(b->url, "http://b/");
    b->out = true;
    Mirror *c = mirrors_next(&m, NULL);
    ck_assert_str_eq(c->url, "http://c/");
    mirror_failed(c, "no", 0, 10 * USEC_PER_SEC, 0);
    ck_assert(mirrors_all_failed(&m));
    /* The first is due long before what the third has asked for. */
    ck_assert_ptr_eq(mirrors_next(&m, NULL), a);
    ck_assert_uint_eq(c->due_usec, 10 * USEC_PER_SEC);
    a->out = c->out = true;
    ck_assert_ptr_null(mirrors_next(&m, NULL));
    mirrors_done(&m);
}
END_TEST

/* The one that alone can go on gets some more chances, and then another begins anew. */
START_TEST(test_mirrors_bound) {
    Mirrors m;

    ck_assert_int_eq(mirrors_init(&m, three), 0);
    for (int i = 0; i < MIRROR_LOYALTY; i++) {
        Mirror *b = mirrors_next(&m, "http://b/");
        ck_assert_str_eq(b->url, "http://b/");
        mirror_failed(b, "no", 0, 0, 0);
    }
    ck_assert_str_eq(mirrors_next(&m, "http://b/")->url, "http://c/");
    ck_assert_str_eq(mirrors_next(&m, "http://gone/")->url, "http://a/");
    mirrors_done(&m);
}
END_TEST

START_TEST(test_mirror_delays) {
    Mirror m = {};
    uint64_t last = 0;

    for (int i = 0; i < 100; i++) {
        mirror_failed(&m, "no", 1000, 0, 0);
        ck_assert_uint_ge(m.due_usec, last);
        last = m.due_usec;
    }
    ck_assert_uint_eq(last, 1000 + MIRROR_DELAY_MAX);
    mirror_failed(&m, "no", 1000, 0, UINT64_MAX);
    ck_assert_uint_ge(m.due_usec, 1000 + MIRROR_DELAY_MAX / 2);
    mirror_failed(&m, "no", 1000, NONE, 0);
    ck_assert_uint_eq(m.due_usec, NONE);
    m.failures = 0;
    mirror_failed(&m, "no", 0, 0, 0);
    ck_assert_uint_eq(m.due_usec, MIRROR_DELAY_FIRST);
    free(m.why);
}
END_TEST

/* ---- the state ---- */

static int open_dir(void) {
    return open(unit_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

START_TEST(test_state) {
    _cleanup_close_ int dir = open_dir();
    DownloadState s = {}, read = {};

    ck_assert_int_eq(download_state_load(dir, "state", &read), -ENOENT);
    ck_assert_int_eq(download_state_set(&s, "http://a/\"b", "\"e\"", 1000), 0);
    s.synced = 500;
    s.pieced = true;
    s.inode = UINT64_MAX;
    ck_assert_int_eq(download_state_save(dir, "state", &s), 0);
    ck_assert_int_eq(download_state_load(dir, "state", &read), 0);
    ck_assert_str_eq(read.url, s.url);
    ck_assert_str_eq(read.validator, "\"e\"");
    ck_assert_str_eq(read.boot, s.boot);
    ck_assert_uint_eq(read.total, 1000);
    ck_assert_uint_eq(read.synced, 500);
    ck_assert_uint_eq(read.inode, UINT64_MAX);
    ck_assert(read.pieced);

    ck_assert_int_eq(download_state_set(&s, "http://a/", "", NONE), 0);
    ck_assert_int_eq(download_state_save(dir, "state", &s), 0);
    ck_assert_int_eq(download_state_load(dir, "state", &read), 0);
    ck_assert_uint_eq(read.total, NONE);
    ck_assert(!read.pieced && read.inode == 0 && read.synced == 0);
    ck_assert(!unit_exists("state.new"));
    download_state_done(&s);
    download_state_done(&read);
}
END_TEST

START_TEST(test_bad_states) {
    static const char *const texts[] = {"", "{", "{}", "[]", "{\"url\":\"\"}", "{\"url\":7}"};
    _cleanup_close_ int dir = open_dir();
    DownloadState s = {};

    for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
        unit_write("state", texts[i], strlen(texts[i]));
        ck_assert_int_eq(download_state_load(dir, "state", &s), -EBADMSG);
    }
    /* What it says of numbers is not believed blindly. */
    const char *odd = "{\"url\":\"u\",\"total\":-1,\"synced\":1e300,\"inode\":5,\"boot\":[]}";
    unit_write("state", odd, strlen(odd));
    ck_assert_int_eq(download_state_load(dir, "state", &s), 0);
    ck_assert_uint_eq(s.total, NONE);
    ck_assert_uint_eq(s.synced, 0);
    ck_assert_uint_eq(s.inode, 0);
    download_state_done(&s);
    ck_assert_int_eq(symlink(unit_path("state"), unit_path("link")), 0);
    ck_assert_int_eq(download_state_load(dir, "link", &s), -ELOOP);
}
END_TEST

/* ---- the partial file ---- */

#define URL "http://a/file"
#define PART ".file.longrun-part"
#define STATE PART ".state"
#define SIZE ((uint64_t)4 * MIB)

static char *one_url[] = {(char *)URL, NULL};
static DownloadParams params;

static int open_file(DownloadFile *f, char **error) {
    params.urls = one_url;
    params.path = unit_path("file");
    return download_file_open(f, &params, error);
}

static void must_open(DownloadFile *f, uint64_t size) {
    _cleanup_free_ char *error = NULL;
    int r = open_file(f, &error);

    ck_assert_msg(r == 0, "%d: %s", r, error);
    ck_assert_uint_eq(f->size, size);
}

static void put(DownloadFile *f, size_t size) {
    _cleanup_free_ char *data = calloc(1, size), *error = NULL;

    memset(data, 'x', size);
    ck_assert_int_eq(download_file_write(f, data, size, &error), 0);
}

static void begin(DownloadFile *f, const char *validator, uint64_t total, size_t size) {
    _cleanup_free_ char *error = NULL;

    ck_assert_int_eq(download_file_begin(f, URL, validator, total, &error), 0);
    put(f, size);
}

static void publish(DownloadFile *f, int expected, const char *words) {
    _cleanup_free_ char *error = NULL;
    int r = download_file_publish(f, &error);

    ck_assert_msg(r == expected, "%d: %s", r, error);
    if (words)
        ck_assert_msg(strstr(error, words) != NULL, "%s", error);
}

/* As if killed: neither file is removed, the lock goes. */
static void kill_it(DownloadFile *f) {
    download_sync_stop(&f->sync);
    f->ours = f->published = false;
    download_file_close(f);
}

START_TEST(test_goes_on) {
    DownloadFile f;

    params = (DownloadParams){.size = NONE};
    must_open(&f, 0);
    begin(&f, "\"e\"", SIZE, 3 * MIB);
    kill_it(&f);
    must_open(&f, 3 * MIB);
    ck_assert_str_eq(f.state.validator, "\"e\"");
    ck_assert(download_file_keeps(&f));
    put(&f, 1 * MIB);
    publish(&f, 0, NULL);
    download_file_close(&f);
    ck_assert(unit_exists("file") && !unit_exists(PART) && !unit_exists(STATE));
}
END_TEST

/* After a power cut, only what was synced is sure to be what was written. */
START_TEST(test_other_boot) {
    _cleanup_close_ int dir = open_dir();
    DownloadState s = {};
    DownloadFile f;

    params = (DownloadParams){.size = NONE};
    must_open(&f, 0);
    begin(&f, "\"e\"", SIZE, 3 * MIB);
    kill_it(&f);
    ck_assert_int_eq(download_state_load(dir, STATE, &s), 0);
    s.synced = 1 * MIB;
    snprintf(s.boot, sizeof(s.boot), "another");
    ck_assert_int_eq(download_state_save(dir, STATE, &s), 0);
    must_open(&f, 1 * MIB);
    put(&f, 1 * MIB);
    kill_it(&f);
    must_open(&f, 2 * MIB); /* written in this boot */
    download_file_close(&f);
    download_state_done(&s);
}
END_TEST

START_TEST(test_nothing_to_go_on_with) {
    DownloadFile f;

    /* Without a state, nobody knows what it is. */
    params = (DownloadParams){.size = NONE};
    unit_write(PART, "something", 9);
    must_open(&f, 0);
    /* Neither a validator nor a digest: it can never be told to be the same. */
    begin(&f, "", SIZE, 3 * MIB);
    ck_assert(!download_file_keeps(&f));
    download_file_close(&f);
    ck_assert(!unit_exists(PART) && !unit_exists(STATE));
    /* With a digest it can. */
    strcpy(params.sha256, "0");
    must_open(&f, 0);
    begin(&f, "", SIZE, 3 * MIB);
    download_file_close(&f);
    must_open(&f, 3 * MIB);
    /* Another file, small: the state of the first must not speak of it. */
    begin(&f, "", 10, 5);
    ck_assert(!unit_exists(STATE));
    kill_it(&f);
    must_open(&f, 0);
    download_file_close(&f);
}
END_TEST

/* Longer than it can be. */
START_TEST(test_too_long) {
    DownloadFile f;

    params = (DownloadParams){.size = NONE};
    must_open(&f, 0);
    begin(&f, "\"e\"", SIZE, 5 * MIB);
    kill_it(&f);
    must_open(&f, 0);
    download_file_close(&f);
}
END_TEST

static void expect_no(int expected, const char *words) {
    _cleanup_free_ char *error = NULL;
    DownloadFile f;
    int r = open_file(&f, &error);

    ck_assert_msg(r == expected, "%d: %s", r, error);
    ck_assert_msg(strstr(error, words) != NULL, "%s", error);
    download_file_close(&f);
}

START_TEST(test_two_at_once) {
    DownloadFile f;

    params = (DownloadParams){.size = NONE};
    must_open(&f, 0);
    begin(&f, "\"e\"", SIZE, 3 * MIB);
    expect_no(-EBUSY, "Another download to ");
    ck_assert(unit_exists(PART) && unit_exists(STATE));
    put(&f, 1 * MIB);
    publish(&f, 0, NULL);
    download_file_close(&f);
}
END_TEST

START_TEST(test_target_in_the_way) {
    DownloadFile f;

    params = (DownloadParams){.size = NONE};
    unit_write("file", "old", 3);
    expect_no(-EEXIST, "exists: give another path, or overwrite");
    ck_assert(!unit_exists(PART));
    unlink(unit_path("file"));
    must_open(&f, 0);
    begin(&f, "\"e\"", SIZE, SIZE);
    unit_write("file", "new", 3);
    publish(&f, -EEXIST, "was made by somebody else meanwhile");
    download_file_close(&f);
    _cleanup_free_ char *text = unit_read("file", NULL);
    ck_assert_str_eq(text, "new");
    ck_assert(unit_exists(PART));

    params.overwrite = true;
    must_open(&f, SIZE);
    publish(&f, 0, NULL);
    download_file_close(&f);
    struct stat st;
    ck_assert_int_eq(stat(unit_path("file"), &st), 0);
    ck_assert_uint_eq((uint64_t)st.st_size, SIZE);
    ck_assert(!unit_exists(PART) && !unit_exists(STATE));
}
END_TEST

START_TEST(test_symlink_is_replaced) {
    struct stat st;
    DownloadFile f;

    params = (DownloadParams){.size = NONE};
    unit_write("other", "old", 3);
    ck_assert_int_eq(symlink("other", unit_path("file")), 0);
    expect_no(-EEXIST, "exists");
    params.overwrite = true;
    must_open(&f, 0);
    begin(&f, "", 3, 3);
    publish(&f, 0, NULL);
    download_file_close(&f);
    ck_assert_int_eq(lstat(unit_path("file"), &st), 0);
    ck_assert(S_ISREG(st.st_mode));
    _cleanup_free_ char *text = unit_read("other", NULL);
    ck_assert_str_eq(text, "old");
}
END_TEST

/* What could be a trap: a link to another file, or one with a second name. */
START_TEST(test_strange_partial) {
    params = (DownloadParams){.size = NONE};
    unit_write("precious", "data", 4);
    ck_assert_int_eq(symlink("precious", unit_path(PART)), 0);
    expect_no(-ELOOP, "Cannot open");
    unlink(unit_path(PART));
    ck_assert_int_eq(link(unit_path("precious"), unit_path(PART)), 0);
    expect_no(-EPERM, "is in the way");
    unlink(unit_path(PART));
    ck_assert_int_eq(mkfifo(unit_path(PART), 0600), 0);
    expect_no(-EPERM, "is in the way");
    ck_assert(unit_exists(PART));
    _cleanup_free_ char *text = unit_read("precious", NULL);
    ck_assert_str_eq(text, "data");
}
END_TEST

START_TEST(test_folders) {
    _cleanup_free_ char *error = NULL;
    DownloadFile f;

    params = (DownloadParams){.size = NONE};
    ck_assert_int_eq(mkdir(unit_path("file"), 0700), 0); /* the url names the file in it */
    must_open(&f, 0);
    ck_assert_str_eq(f.path, unit_path("file/file"));
    download_file_close(&f);
    ck_assert_int_eq(mkdir(unit_path("file/file"), 0700), 0);
    expect_no(-EEXIST, "is no file");
    params.path = unit_path("nowhere/x");
    params.urls = one_url;
    ck_assert_int_eq(download_file_open(&f, &params, &error), -ENOENT);
    ck_assert_msg(strstr(error, "does not exist: make it first") != NULL, "%s", error);
    download_file_close(&f);
}
END_TEST

/* Killed between the rename and the end: it is not refused for its own work. */
START_TEST(test_killed_behind_the_rename) {
    _cleanup_free_ char *error = NULL;
    DownloadFile f;

    params = (DownloadParams){.size = NONE};
    must_open(&f, 0);
    begin(&f, "\"e\"", SIZE, SIZE);
    publish(&f, 0, NULL);
    kill_it(&f);
    ck_assert(unit_exists(STATE));
    ck_assert_int_eq(open_file(&f, &error), 1);
    ck_assert_uint_eq(f.size, SIZE);
    download_file_close(&f);
    ck_assert(unit_exists("file") && !unit_exists(PART) && !unit_exists(STATE));
    expect_no(-EEXIST, "exists");
}
END_TEST

START_TEST(test_mode) {
    struct stat st;
    DownloadFile f;

    params = (DownloadParams){.size = NONE};
    umask(0027);
    must_open(&f, 0);
    begin(&f, "", 3, 3);
    publish(&f, 0, NULL);
    download_file_close(&f);
    ck_assert_int_eq(stat(unit_path("file"), &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0640);
}
END_TEST

/* ---- to the disk ---- */

static volatile bool is_locked, came_in_between;
static volatile unsigned n_synced;

static void on_synced(void *userdata, uint64_t size) {
    usleep(200);
    came_in_between |= is_locked;
    n_synced++;
}

/* Who begins anew is not told of what was before, not even of what is under way. */
START_TEST(test_sync) {
    DownloadSync s;
    uint64_t size = 0;

    unit_write("data", "", 0);
    _cleanup_close_ int fd = open(unit_path("data"), O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(download_sync_start(&s, fd, on_synced, NULL), 0);
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(download_sync_grown(&s, size += 64 * MIB), 0);
        usleep((unsigned)i);
        download_sync_lock(&s);
        is_locked = true;
        usleep(300);
        is_locked = false;
        download_sync_unlock_anew(&s, size = 0);
    }
    download_sync_stop(&s);
    ck_assert_uint_gt(n_synced, 0);
    ck_assert(!came_in_between);
}
END_TEST

/* ---- the digest ---- */

#define SHA256_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void wait_for_digest(DownloadHash *h, uint64_t size, char hex[CHECKSUM_HEX_MAX]) {
    uint64_t done;
    int r;

    while ((r = download_hash_take(h, size, &done, hex)) == 0)
        usleep(1000);
    ck_assert_int_eq(r, 1);
}

START_TEST(test_hash) {
    char hex[CHECKSUM_HEX_MAX];
    DownloadHash h;

    unit_write("data", "abcd", 4);
    _cleanup_close_ int fd = open(unit_path("data"), O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(download_hash_start(&h, fd), 0);
    download_hash_grown(&h, 2);
    wait_for_digest(&h, 4, hex);
    ck_assert_str_ne(hex, SHA256_OF_ABC);
    download_hash_anew(&h);
    for (int i = 0; i < 100; i++) { /* at any moment of its work */
        download_hash_grown(&h, 4);
        download_hash_anew(&h);
    }
    wait_for_digest(&h, 3, hex);
    ck_assert_str_eq(hex, SHA256_OF_ABC);
    download_hash_stop(&h);
}
END_TEST

int main(void) {
    Suite *s = suite_create("download");
    TCase *pure = tcase_create("pure"), *files = tcase_create("files");

    tcase_add_loop_test(pure, test_name, 0, ELEMENTSOF(names));
    tcase_add_test(pure, test_long_names);
    tcase_add_loop_test(pure, test_range, 0, ELEMENTSOF(ranges));
    tcase_add_test(pure, test_answer);
    tcase_add_loop_test(pure, test_validator, 0, ELEMENTSOF(validators));
    tcase_add_test(pure, test_mirrors_in_turn);
    tcase_add_test(pure, test_mirrors_bound);
    tcase_add_test(pure, test_mirror_delays);
    suite_add_tcase(s, pure);
    unit_use_dir(files);
    tcase_add_test(files, test_state);
    tcase_add_test(files, test_bad_states);
    tcase_add_test(files, test_goes_on);
    tcase_add_test(files, test_other_boot);
    tcase_add_test(files, test_nothing_to_go_on_with);
    tcase_add_test(files, test_too_long);
    tcase_add_test(files, test_two_at_once);
    tcase_add_test(files, test_target_in_the_way);
    tcase_add_test(files, test_symlink_is_replaced);
    tcase_add_test(files, test_strange_partial);
    tcase_add_test(files, test_folders);
    tcase_add_test(files, test_killed_behind_the_rename);
    tcase_add_test(files, test_mode);
    tcase_add_test(files, test_sync);
    tcase_add_test(files, test_hash);
    suite_add_tcase(s, files);
    return unit_run(s);
}
