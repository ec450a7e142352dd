#include "daemon/http/http-secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "daemon/http/http-policy.h"

char *http_secret_free(char *secret) {
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
    return NULL;
}

static inline void wipe_buffer(char (*buf)[HTTP_SECRET_MAX + 2]) {
    explicit_bzero(*buf, sizeof(*buf));
}

static int no(Error *error, const char *path, const char *why) {
    return error_set(error, ERROR_BACKEND_FAILED, "The credential in %s cannot be used: %s", path,
                     why);
}

/* ---- where it is ---- */

static int find(const char *credential, char **ret, Error *error) {
    const char *dir = getenv("CREDENTIALS_DIRECTORY");

    if (credential[0] == '/') {
        *ret = strdup(credential);
        return *ret ? 0 : -ENOMEM;
    }
    if (strchr(credential, '/') || credential[0] == '.' || credential[0] == '\0')
        return error_set(error, ERROR_INVALID_OPTION,
                         "\"%s\" is neither an absolute path nor the name of a credential",
                         credential);
    if (isempty(dir))
        return error_set(error, ERROR_BACKEND_FAILED,
                         "The credential %s cannot be read: longrund was given none by systemd. "
                         "Set LoadCredential=%s:PATH for longrund.service, or name a file by its "
                         "absolute path",
                         credential, credential);
    return asprintf(ret, "%s/%s", dir, credential) < 0 ? -ENOMEM : 0;
}

/* ---- what is in it ---- */

/* Those of systemd are guarded by their folder, and have other modes. */
static int check_file(int fd, const char *path, bool is_ours, Error *error) {
    struct stat st;

    if (fstat(fd, &st) < 0)
        return no(error, path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return no(error, path, "it is no regular file");
    if (is_ours && st.st_uid == getuid() && (st.st_mode & 077) != 0)
        return error_set(error, ERROR_BACKEND_FAILED,
                         "The credential in %s cannot be used: others can read or change it (mode "
                         "%04o). Make it yours alone: chmod 600 %s",
                         path, (unsigned)(st.st_mode & 07777), path);
    return 0;
}

static ssize_t read_up_to(int fd, char *buf, size_t max) {
    size_t size = 0;

    while (size < max) {
        ssize_t n = read(fd, buf + size, max - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        size += (size_t)n;
    }
    return (ssize_t)size;
}

static size_t without_line_end(const char *s, size_t size) {
    if (size > 0 && s[size - 1] == '\n')
        size--;
    if (size > 0 && s[size - 1] == '\r')
        size--;
    return size;
}

static int check_text(const char *text, size_t size, HttpAuthType auth, const char *path,
                      Error *error) {
    if (size == 0)
        return no(error, path, "it is empty");
    if (strlen(text) != size || !http_secret_is_valid(HTTP_AUTH_BEARER, text))
        return no(error, path, "it has more than one line, or control characters");
    if (!http_secret_is_valid(auth, text))
        return no(error, path, "for auth basic it is \"user:password\", and has no colon");
    return 0;
}

static int read_secret(int fd, HttpAuthType auth, const char *path, char **ret, Error *error) {
    _cleanup_(wipe_buffer) char buf[HTTP_SECRET_MAX + 2];
    ssize_t n = read_up_to(fd, buf, HTTP_SECRET_MAX + 1);
    int r;

    if (n < 0)
        return no(error, path, strerror((int)-n));
    if ((size_t)n > HTTP_SECRET_MAX)
        return no(error, path, "it has more than 8 KiB");
    size_t size = without_line_end(buf, (size_t)n);
    buf[size] = '\0';
    r = check_text(buf, size, auth, path, error);
    if (r < 0)
        return r;
    *ret = strdup(buf);
    return *ret ? 0 : -ENOMEM;
}

int http_secret_read(const char *credential, HttpAuthType auth, char **ret, Error *error) {
    _cleanup_free_ char *path = NULL;
    int r = find(credential, &path, error);

    if (r < 0)
        return r;
    /* A FIFO would make the loop wait for its writer. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return no(error, path, strerror(errno));
    r = check_file(fd, path, credential[0] == '/', error);
    return r < 0 ? r : read_secret(fd, auth, path, ret, error);
}
