/* A request while its body is being read. */

#include <string.h>
#include <strings.h>
#include "ktp_intake_draft.h"


#define ktp_bit(member) ((unsigned) 1 << (member))


void
ktp_intake_draft_init(ktp_intake_draft_t *draft, const ktp_policy_t *policy,
                      ktp_store_t *store, ktp_intake_type_t type)
{
    ktp_request_t *request;

    request = &draft->request;

    request->type = type;
    request->validate_quality = KTP_FLAG_ABSENT;
    request->is_quality = KTP_FLAG_ABSENT;
    request->reference_id[0] = '\0';
    request->url[0] = '\0';
    request->format = KTP_IMAGE_UNKNOWN;
    request->width = 0;
    request->height = 0;
    request->orientation = 1;

    draft->policy = policy;
    draft->seen = 0;
    draft->empty = 0;
    draft->ignored = 0;

    ktp_image_init(&draft->image, policy, store);
}


ktp_member_t
ktp_intake_draft_member(const char *name, size_t len)
{
    static const struct {
        const char  *name;
        ktp_member_t member;
    } members[] = {{"image", KTP_MEMBER_IMAGE},
                   {"validate_quality", KTP_MEMBER_VALIDATE_QUALITY},
                   {"is_quality", KTP_MEMBER_IS_QUALITY},
                   {"reference_id", KTP_MEMBER_REFERENCE_ID}};

    size_t i;

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strlen(members[i].name) == len
            && memcmp(members[i].name, name, len) == 0) {
            return members[i].member;
        }
    }

    return KTP_MEMBER_OTHER;
}


ktp_code_t
ktp_intake_draft_begin(ktp_intake_draft_t *draft, ktp_member_t member)
{
    if (member == KTP_MEMBER_OTHER) {
        draft->ignored++;
        return KTP_OK;
    }

    if (draft->seen & ktp_bit(member)) {
        return member == KTP_MEMBER_IMAGE ? KTP_TWO_IMAGES : KTP_DUPLICATE_KEY;
    }

    draft->seen |= ktp_bit(member);

    return KTP_OK;
}


void
ktp_intake_draft_flag(ktp_intake_draft_t *draft, ktp_member_t member,
                      int value)
{
    ktp_flag_t flag;

    flag = value ? KTP_FLAG_TRUE : KTP_FLAG_FALSE;

    if (member == KTP_MEMBER_IS_QUALITY) {
        draft->request.is_quality = flag;

    } else {
        draft->request.validate_quality = flag;
    }
}


ktp_code_t
ktp_intake_draft_flag_text(ktp_intake_draft_t *draft, ktp_member_t member,
                           const unsigned char *p, size_t len)
{
    static const struct {
        const char *name;
        int         value;
    } values[] = {{"true", 1}, {"false", 0}, {"1", 1},  {"0", 0}, {"on", 1},
                  {"off", 0},  {"yes", 1},   {"no", 0}, {"", 0}};

    size_t i;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (strlen(values[i].name) == len
            && strncasecmp(values[i].name, (const char *) p, len) == 0) {
            ktp_intake_draft_flag(draft, member, values[i].value);
            return KTP_OK;
        }
    }

    return KTP_BAD_FLAG;
}


ktp_code_t
ktp_intake_draft_reference(ktp_intake_draft_t *draft, const unsigned char *p,
                           size_t len)
{
    size_t i;

    if (len == 0) {
        draft->empty |= ktp_bit(KTP_MEMBER_REFERENCE_ID);
        return KTP_OK;
    }

    for (i = 0; i < len; i++) {
        if (p[i] == '\0') {
            return KTP_NUL_BYTE;
        }

        if (i == KTP_MAX_REFERENCE_ID || p[i] < 0x20 || p[i] > 0x7e) {
            return KTP_INVALID_PAYLOAD_REFERENCE_ID;
        }
    }

    memcpy(draft->request.reference_id, p, len);
    draft->request.reference_id[len] = '\0';

    return KTP_OK;
}


void
ktp_intake_draft_facts(ktp_intake_draft_t *draft)
{
    const ktp_probe_t *probe;

    probe = &draft->image.probe;

    draft->request.format = probe->format;
    draft->request.width = probe->width;
    draft->request.height = probe->height;
    draft->request.orientation = probe->orientation;
}


ktp_code_t
ktp_intake_draft_image_text(ktp_intake_draft_t *draft)
{
    ktp_code_t rc;

    rc = ktp_intake_text_finish(&draft->text);
    if (rc != KTP_OK) {
        return rc;
    }

    if (draft->text.empty) {
        draft->empty |= ktp_bit(KTP_MEMBER_IMAGE);
    }

    return KTP_OK;
}


ktp_code_t
ktp_intake_draft_image_bytes(ktp_intake_draft_t *draft)
{
    if (draft->image.size == 0) {
        draft->empty |= ktp_bit(KTP_MEMBER_IMAGE);
        return KTP_OK;
    }

    return ktp_image_finish(&draft->image);
}


ktp_code_t
ktp_intake_draft_finish(ktp_intake_draft_t *draft)
{
    const ktp_request_t *request;

    request = &draft->request;

    /* more than one empty value is a worse body than an empty image */

    if (draft->empty & (draft->empty - 1)) {
        return KTP_EMPTY_VALUES;
    }

    if (!(draft->seen & ktp_bit(KTP_MEMBER_IMAGE))) {
        return KTP_MISSING_PAYLOAD_IMAGE;
    }

    if (draft->empty & ktp_bit(KTP_MEMBER_IMAGE)) {
        return KTP_INVALID_PAYLOAD_IMAGE_MISSING;
    }

    if (draft->empty & ktp_bit(KTP_MEMBER_REFERENCE_ID)) {
        return KTP_INVALID_PAYLOAD_REFERENCE_ID;
    }

    if (request->is_quality == KTP_FLAG_FALSE
        && request->validate_quality == KTP_FLAG_TRUE) {
        return KTP_INVALID_PAYLOAD_DEPENDENCY;
    }

    return KTP_OK;
}
