/* Each way to fail has an errno and words of its own. */

#include <errno.h>
#include <stdio.h>

#include "daemon/http/http-error.h"
#include "tests/unit/unit.h"

#define H "http://host:8080/path?secret=x"

static const struct {
    HttpFailure f;
    int error;
    const char *text;
} failures[] = {
    {{CURLE_URL_MALFORMAT, .url = "x y"}, -EINVAL, "not an url that can be asked for"},
    {{CURLE_LOGIN_DENIED, .url = "http://u@h/"},
     -EINVAL,
     "an url with a user or password in it is not taken"},
    {{CURLE_UNSUPPORTED_PROTOCOL, .url = "ftp://h/"}, -EINVAL, "not an url of http or https"},
    {{CURLE_UNSUPPORTED_PROTOCOL, .url = H, .detail = "Received HTTP/0.9 when not allowed"},
     -EPROTO,
     "no HTTP from host:8080: Received HTTP/0.9 when not allowed"},
    {{CURLE_COULDNT_RESOLVE_HOST}, -ENOENT, "the name of host:8080 cannot be resolved"},
    {{CURLE_COULDNT_RESOLVE_PROXY, .detail = "Could not resolve proxy: p"},
     -ENOENT,
     "the name of the proxy cannot be resolved, on the way to host:8080: Could not resolve proxy: "
     "p"},
    {{CURLE_COULDNT_CONNECT, .os_errno = ECONNREFUSED},
     -ECONNREFUSED,
     "connection refused by host:8080"},
    {{CURLE_COULDNT_CONNECT, .os_errno = ENETUNREACH},
     -ENETUNREACH,
     "no way to host:8080 from here: network is unreachable"},
    {{CURLE_COULDNT_CONNECT, .os_errno = EHOSTUNREACH},
     -EHOSTUNREACH,
     "no route to host host:8080"},
    {{CURLE_COULDNT_CONNECT, .os_errno = EMFILE},
     -EIO,
     "cannot connect to host:8080: Too many open files"},
    {{CURLE_COULDNT_CONNECT, .os_errno = ETIMEDOUT, .phase = HTTP_PHASE_CONNECT},
     -ETIMEDOUT,
     "no connection to host:8080 in time"},
    {{CURLE_COULDNT_CONNECT}, -EIO, "cannot connect to host:8080"},
    {{CURLE_OPERATION_TIMEDOUT, .phase = HTTP_PHASE_NAME, .timeout_usec = 5 * USEC_PER_SEC},
     -EAGAIN,
     "the name of host:8080 was not resolved within 5s"},
    {{CURLE_OPERATION_TIMEDOUT, .phase = HTTP_PHASE_CONNECT, .timeout_usec = 5 * USEC_PER_SEC},
     -ETIMEDOUT,
     "no connection to host:8080 within 5s"},
    {{CURLE_OPERATION_TIMEDOUT, .phase = HTTP_PHASE_TLS, .timeout_usec = 5 * USEC_PER_SEC},
     -ETIMEDOUT,
     "no TLS handshake with host:8080 within 5s"},
    {{CURLE_OPERATION_TIMEDOUT, .phase = HTTP_PHASE_ANSWER, .timeout_usec = 5 * USEC_PER_SEC},
     -ETIMEDOUT,
     "no answer from host:8080 within 5s"},
    {{CURLE_OPERATION_TIMEDOUT, .phase = HTTP_PHASE_BODY, .timeout_usec = 5 * USEC_PER_SEC},
     -ETIMEDOUT,
     "no complete answer from host:8080 within 5s"},
    {{CURLE_GOT_NOTHING}, -ECONNRESET, "host:8080 closed the connection without an answer"},
    {{CURLE_PARTIAL_FILE},
     -ECONNRESET,
     "the connection to host:8080 broke in the midst of the answer"},
    {{CURLE_RECV_ERROR},
     -ECONNRESET,
     "the connection to host:8080 broke: the connection was reset"},
    {{CURLE_SEND_ERROR, .os_errno = EPIPE},
     -ECONNRESET,
     "the connection to host:8080 broke: Broken pipe"},
    {{CURLE_FILESIZE_EXCEEDED, .response_max = 8 * MIB},
     -EMSGSIZE,
     "the answer of host:8080 is larger than 8M"},
    {{CURLE_WRITE_ERROR}, -EMSGSIZE, "the answer of host:8080 is too large"},
    {{CURLE_SSL_CONNECT_ERROR, .os_errno = ECONNRESET},
     -ECONNRESET,
     "the connection to host:8080 broke in the TLS handshake"},
    {{CURLE_SSL_CONNECT_ERROR, .detail = "wrong version number"},
     -EKEYREJECTED,
     "no TLS with host:8080: wrong version number"},
    {{CURLE_PEER_FAILED_VERIFICATION, .detail = "SSL certificate problem: self\tsigned\n"},
     -EKEYREJECTED,
     "cannot trust host:8080: SSL certificate problem: self signed"},
    {{CURLE_SSL_CERTPROBLEM, .detail = "x"},
     -EKEYREJECTED,
     "the client certificate cannot be used, for host:8080: x"},
    {{CURLE_SSL_CACERT_BADFILE, .detail = "x"},
     -EKEYREJECTED,
     "the file of certificates cannot be used, for host:8080: x"},
    {{CURLE_WEIRD_SERVER_REPLY}, -EPROTO, "no HTTP from host:8080"},
    {{CURLE_HTTP2, .detail = "x"}, -EPROTO, "no HTTP from host:8080: x"},
    {{CURLE_BAD_CONTENT_ENCODING}, -EPROTO, "no HTTP from host:8080"},
    {{CURLE_OUT_OF_MEMORY}, -ENOMEM, "memory is short"},
    {{CURLE_FTP_ACCEPT_FAILED, .detail = "what?"}, -EIO, "the request failed, to host:8080: what?"},
};

START_TEST(test_failure) {
    HttpFailure f = failures[_i].f;
    char text[HTTP_ERROR_TEXT_MAX];

    f.url = f.url ?: H;
    f.detail = f.detail ?: "";
    ck_assert_int_eq(http_failure_describe(&f, text), failures[_i].error);
    ck_assert_str_eq(text, failures[_i].text);
}
END_TEST

/* Words of the library may be of any length, and have come from the server. */
START_TEST(test_long_detail) {
    char detail[CURL_ERROR_SIZE], text[HTTP_ERROR_TEXT_MAX];
    HttpFailure f = {CURLE_WEIRD_SERVER_REPLY, .url = H, .detail = detail};

    memset(detail, 'x', sizeof(detail));
    detail[sizeof(detail) - 1] = '\0';
    memcpy(detail, "\x1b[31m\r\n\xff", 8);
    ck_assert_int_eq(http_failure_describe(&f, text), -EPROTO);
    MUST(strlen(text) < 300);
    MUST(!strpbrk(text, "\x1b\r\n\xff"));
}
END_TEST

/* None is left without words, and none is no error. */
START_TEST(test_each_code) {
    char text[HTTP_ERROR_TEXT_MAX];

    for (int code = 1; code < CURL_LAST; code++) {
        HttpFailure f = {(CURLcode)code, .url = H, .detail = ""};
        text[0] = '\0';
        MUST(http_failure_describe(&f, text) < 0);
        MUST(text[0] != '\0');
        MUST(!strstr(text, "secret"));
    }
}
END_TEST

static const struct {
    int error, given;
    const char *text;
} names[] = {
    {-ENOENT, -ENOENT, "there is no host with the name of host:8080"},
    {-EAGAIN, -EAGAIN, "the name of host:8080 cannot be resolved now: no name server has answered"},
    {-ETIMEDOUT, -EAGAIN, "the name of host:8080 was not resolved within 2s"},
    {-ENOMEM, -ENOMEM, "the name of host:8080 cannot be resolved: Cannot allocate memory"},
};

START_TEST(test_name) {
    char text[HTTP_ERROR_TEXT_MAX];

    ck_assert_int_eq(http_failure_of_name(names[_i].error, H, 2 * USEC_PER_SEC, text),
                     names[_i].given);
    ck_assert_str_eq(text, names[_i].text);
}
END_TEST

int main(void) {
    Suite *s = suite_create("http-error");
    TCase *t = tcase_create("http-error");

    tcase_add_loop_test(t, test_failure, 0, ELEMENTSOF(failures));
    tcase_add_test(t, test_long_detail);
    tcase_add_test(t, test_each_code);
    tcase_add_loop_test(t, test_name, 0, ELEMENTSOF(names));
    suite_add_tcase(s, t);
    return unit_run(s);
}
