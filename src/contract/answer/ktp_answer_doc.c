/* Names of the members of an answer. */

#include "ktp_answer_doc.h"


static const char *const ktp_answer_doc_text_names[KTP_ANSWER_TEXTS] = {
    "message", "status_code", "error_code"};

static const char *const ktp_answer_doc_quality_names[KTP_QUALITIES] = {
    "blur",       "dark",       "flashlight",       "grayscale",
    "blur_score", "dark_score", "flashlight_score", "grayscale_score",
};


const char *
ktp_answer_doc_text_name(ktp_answer_text_t text)
{
    return ktp_answer_doc_text_names[text];
}


const char *
ktp_answer_doc_quality_name(ktp_answer_quality_t quality)
{
    return ktp_answer_doc_quality_names[quality];
}
