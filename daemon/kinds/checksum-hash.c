#include "daemon/kinds/checksum-hash.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gcrypt.h>
#include <pthread.h>
#include <sys/stat.h>

#define BLOCK_SIZE ((size_t)256 * KIB)
#define NAME_MAX_LENGTH 32

struct ChecksumHasher {
    gcry_md_hd_t handle;
    int algorithm;
    unsigned char *block;
};

static int gcrypt_to_errno(gcry_error_t error) {
    int value = gcry_err_code_to_errno(gcry_err_code(error));

    return error == 0 ? 0 : value > 0 ? -value : -EIO;
}

/* Another library of the process may use libgcrypt, too, and have it ready. */
static void library_init(void) {
    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
        return;
    gcry_check_version(NULL);
    gcry_control(GCRYCTL_DISABLE_SECMEM);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED);
}

static void library_init_once(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, library_init);
}

/* libgcrypt writes some names with a dash, others with an underscore: "SHA3-256", "BLAKE2B_512". */
static int map_name(const char *name, char from, char to) {
    char buffer[NAME_MAX_LENGTH + 1];
    size_t i = 0;

    for (; name[i]; i++)
        buffer[i] = name[i] == from ? to : name[i];
    buffer[i] = '\0';
    return gcry_md_map_name(buffer);
}

int checksum_algorithm_from_name(const char *name) {
    /* No object identifiers, which gcry_md_map_name() takes, too: they begin with a digit or hold
     * dots. */
    if (strlen(name) > NAME_MAX_LENGTH || !isalpha((unsigned char)name[0]) || strchr(name, '.'))
        return -EINVAL;

    library_init_once();
    int algorithm = map_name(name, '_', '-') ?: map_name(name, '-', '_');
    if (algorithm == 0 || gcry_md_test_algo(algorithm) != 0)
        return -EINVAL;
    unsigned size = gcry_md_get_algo_dlen(algorithm);
    return size > 0 && size * 2 < CHECKSUM_HEX_MAX ? algorithm : -EINVAL;
}

int checksum_hasher_new(int algorithm, ChecksumHasher **ret) {
    _cleanup_(checksum_hasher_freep) ChecksumHasher *h = malloc(sizeof(*h));
    int r;

    if (!h)
        return -ENOMEM;
    *h = (ChecksumHasher){.algorithm = algorithm, .block = malloc(BLOCK_SIZE)};
    if (!h->block)
        return -ENOMEM;
    library_init_once();
    r = gcrypt_to_errno(gcry_md_open(&h->handle, algorithm, 0));
    if (r < 0)
        return r;
    *ret = TAKE_PTR(h);
    return 0;
}

ChecksumHasher *checksum_hasher_free(ChecksumHasher *h) {
    if (!h)
        return NULL;
    gcry_md_close(h->handle);
    free(h->block);
    free(h);
    return NULL;
}

/* O_NONBLOCK: a FIFO that took the file's place since somebody looked must not hold us up. */
static int open_regular(const char *path, bool follow) {
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW);
    _cleanup_close_ int fd = open(path, flags);
    struct stat st;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (st.st_size > (off_t)BLOCK_SIZE)
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return TAKE_FD(fd);
}

static void to_hex(const unsigned char *digest, size_t size, char *ret) {
    for (size_t i = 0; i < size; i++) {
        *ret++ = "0123456789abcdef"[digest[i] >> 4];
        *ret++ = "0123456789abcdef"[digest[i] & 0xf];
    }
    *ret = '\0';
}

void checksum_hasher_reset(ChecksumHasher *h) {
    gcry_md_reset(h->handle);
}

void checksum_hasher_update(ChecksumHasher *h, const void *data, size_t size) {
    gcry_md_write(h->handle, data, size);
}

void checksum_hasher_hex(ChecksumHasher *h, char ret_hex[CHECKSUM_HEX_MAX]) {
    to_hex(gcry_md_read(h->handle, h->algorithm), gcry_md_get_algo_dlen(h->algorithm), ret_hex);
}

int checksum_hasher_file(ChecksumHasher *h, const char *path, bool follow,
                         ChecksumBlockFunc on_block, void *userdata,
                         char ret_hex[CHECKSUM_HEX_MAX]) {
    _cleanup_close_ int fd = open_regular(path, follow);
    ssize_t n;
    int r;

    if (fd < 0)
        return fd;
    checksum_hasher_reset(h);
    while ((n = read(fd, h->block, BLOCK_SIZE)) != 0) {
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        checksum_hasher_update(h, h->block, (size_t)n);
        r = on_block((size_t)n, userdata);
        if (r < 0)
            return r;
    }
    checksum_hasher_hex(h, ret_hex);
    return 0;
}
