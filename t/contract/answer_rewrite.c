/*
 * Answers on standard input, each rewritten under the policy of the first
 * argument (see answer_policy.h), with the reference of the second one, if
 * any, for t/answer-mutations.t:
 *
 *   in  = *( status " " length LF body )
 *   out = *( ( "passed " / "refused " ) length LF text )
 *
 * The text is the rewritten body, or the reason.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ktp_answer.h"
#include "answer_policy.h"


static void
rewrite(const ktp_answer_policy_t *policy, const char *reference,
        unsigned status, const char *body, size_t len)
{
    int          rc;
    char         reason[256];
    ktp_answer_t answer;

    memset(&answer, 0, sizeof(answer));
    answer.status = status;
    answer.body = body;
    answer.len = len;
    answer.out_size = len + KTP_ANSWER_EXTRA;
    answer.out = malloc(answer.out_size);

    if (answer.out == NULL) {
        abort();
    }

    if (reference) {
        answer.reference_id.p = reference;
        answer.reference_id.len = strlen(reference);
        answer.set_reference = 1;
    }

    if (ktp_answer_rewrites(policy)) {
        rc = ktp_answer_rewrite(&answer, policy);

    } else {
        ktp_answer_read(&answer);
        rc = answer.out_len ? 0 : -1;
    }

    if (rc == 0) {
        printf("passed %zu\n", answer.out_len);
        (void) fwrite(answer.out, 1, answer.out_len, stdout);

    } else {
        (void) snprintf(reason, sizeof(reason), "%s in %s", answer.reason,
                        answer.place ? answer.place : "-");
        printf("refused %zu\n%s", strlen(reason), reason);
    }

    free(answer.out);
}


int
main(int argc, char **argv)
{
    char               *body;
    size_t              len;
    unsigned            status;
    ktp_answer_policy_t policy;

    if (argc < 2 || argc > 3) {
        return 2;
    }

    answer_policy(&policy, argv[1]);

    while (scanf("%u %zu%*1[\n]", &status, &len) == 2) {
        body = malloc(len ? len : 1);

        if (body == NULL || fread(body, 1, len, stdin) != len) {
            return 1;
        }

        rewrite(&policy, argc == 3 ? argv[2] : NULL, status, body, len);
        free(body);
    }

    return 0;
}
