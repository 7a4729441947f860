/* A policy from words, as the directives have it; for the tests only. */

#ifndef ANSWER_POLICY_H
#define ANSWER_POLICY_H

#include <stdlib.h>
#include <string.h>
#include "ktp_answer.h"


/*
 * "nik=last:4" is a mask, "+city" a field that passes (without any, all do),
 * "check" the nik_check.  Aborts on anything else.
 */
static void
answer_policy_word(ktp_answer_policy_t *policy, const char *word)
{
    size_t      len;
    ktp_field_t field;
    const char *style;

    if (strcmp(word, "check") == 0) {
        policy->nik_check = 1;
        return;
    }

    if (*word == '+') {
        field = ktp_field_by_name(word + 1, strlen(word + 1));
        if (field == KTP_FIELDS) {
            abort();
        }

        if (policy->fields == KTP_FIELDS_ALL) {
            policy->fields = 0;
        }

        policy->fields |= ktp_field_bit(field);
        return;
    }

    style = strchr(word, '=');
    len = style ? (size_t) (style - word) : strlen(word);
    field = ktp_field_by_name(word, len);

    if (style == NULL || field >= KTP_FIELD_TEXTS
        || ktp_mask_parse(&policy->mask[field], style + 1,
                          strlen(style + 1))) {
        abort();
    }
}


/* Words with a space between them. */
static void
answer_policy(ktp_answer_policy_t *policy, const char *words)
{
    char copy[512], *word;

    memset(policy, 0, sizeof(ktp_answer_policy_t));
    policy->fields = KTP_FIELDS_ALL;

    if (strlen(words) >= sizeof(copy)) {
        abort();
    }

    strcpy(copy, words);

    for (word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        answer_policy_word(policy, word);
    }
}


#endif /* ANSWER_POLICY_H */
