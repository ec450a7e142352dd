#pragma once

#include "common/cleanup.h"
#include "common/macro.h"

/* Digests of files, by libgcrypt. */

#define CHECKSUM_HEX_MAX 129 /* the longest digest, 64 bytes, in hexadecimal, and its NUL */

/* The number of an algorithm, by any of its names ("sha256", "sha3-256", "blake2b-512"), or -EINVAL
 * for one that is unknown, not allowed on this system, or has no digest of a fixed length. */
int checksum_algorithm_from_name(const char *name);

typedef struct ChecksumHasher ChecksumHasher;

int checksum_hasher_new(int algorithm, ChecksumHasher **ret);
ChecksumHasher *checksum_hasher_free(ChecksumHasher *h);
DEFINE_CLEANUP(ChecksumHasher *, checksum_hasher_free)

/* Told of each block behind it; a negative value ends the reading, and is what it ends with. */
typedef int (*ChecksumBlockFunc)(size_t size, void *userdata);

/* The digest of what a regular file holds. A final symlink is refused (-ELOOP) unless follow.
 * Anything that is no regular file (it may have taken the file's place) is -EINVAL, and not
 * waited for. */
int checksum_hasher_file(ChecksumHasher *h, const char *path, bool follow,
                         ChecksumBlockFunc on_block, void *userdata,
                         char ret_hex[CHECKSUM_HEX_MAX]);

/* Of bytes as they come. The digest can be asked for once; a reset begins anew. */
void checksum_hasher_reset(ChecksumHasher *h);
void checksum_hasher_update(ChecksumHasher *h, const void *data, size_t size);
void checksum_hasher_hex(ChecksumHasher *h, char ret_hex[CHECKSUM_HEX_MAX]);
