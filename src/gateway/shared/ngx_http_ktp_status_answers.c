#include "ngx_http_ktp_status_answers.h"
#include "ktp_local.h"
#include "ngx_http_ktp_outcome.h"


static void
ngx_http_ktp_status_answers_sources(ngx_http_ktp_samples_t *samples,
                                    ngx_http_ktp_metrics_t *metrics);
static void
ngx_http_ktp_status_answers_checks(ngx_http_ktp_samples_t *samples,
                                   ngx_http_ktp_metrics_t *metrics);
static void
ngx_http_ktp_status_answers_shadows(ngx_http_ktp_samples_t *samples,
                                    ngx_http_ktp_metrics_t *metrics);
static void
ngx_http_ktp_status_answers_matches(ngx_http_ktp_samples_t *samples,
                                    ngx_http_ktp_label_t *labels, ngx_uint_t n,
                                    ngx_http_ktp_matches_t matches);
static void ngx_http_ktp_status_answers_label(ngx_http_ktp_label_t *label,
                                              const char           *name,
                                              const char           *value);


static const ngx_http_ktp_family_t ngx_http_ktp_status_answers_total = {
    "ktp_answers_total", "counter",
    "Answers about an image, by who gave them."};

static const ngx_http_ktp_family_t ngx_http_ktp_status_answers_checks_total = {
    "ktp_prechecks_total", "counter",
    "Images that ktp_precheck was asked about, by what it said."};

static const ngx_http_ktp_family_t ngx_http_ktp_status_answers_calls_total = {
    "ktp_precheck_calls_total", "counter",
    "Upstream calls behind a check, by what it said and their outcome."};

static const ngx_http_ktp_family_t ngx_http_ktp_status_answers_shadows_total =
    {"ktp_shadow_answers_total", "counter",
     "Answers that ktp_shadow was to compare, by what became of it."};

static const ngx_http_ktp_family_t ngx_http_ktp_status_answers_fields_total = {
    "ktp_shadow_fields_total", "counter",
    "Fields compared, by the least confidence of their bin, and agreement."};

static const ngx_http_ktp_family_t ngx_http_ktp_status_answers_cards_total = {
    "ktp_shadow_cards_total", "counter",
    "Cards compared, by the bin of their least sure field, and agreement."};

static const char
    *const ngx_http_ktp_status_answers_checked[NGX_HTTP_KTP_CHECK_FAILED] = {
        "passed", "refused", "unsure", "failed"};


void
ngx_http_ktp_status_answers(ngx_http_ktp_samples_t *samples,
                            ngx_http_ktp_metrics_t *metrics)
{
    ngx_http_ktp_status_answers_sources(samples, metrics);
    ngx_http_ktp_status_answers_checks(samples, metrics);
    ngx_http_ktp_status_answers_shadows(samples, metrics);
}


static void
ngx_http_ktp_status_answers_sources(ngx_http_ktp_samples_t *samples,
                                    ngx_http_ktp_metrics_t *metrics)
{
    ngx_http_ktp_label_t  label;
    ngx_http_ktp_source_t source;

    ngx_http_ktp_samples_family(samples, &ngx_http_ktp_status_answers_total);

    /* a rehearsal is not counted */

    for (source = NGX_HTTP_KTP_SOURCE_UPSTREAM;
         source < NGX_HTTP_KTP_SOURCE_SANDBOX; source++) {
        ngx_http_ktp_status_answers_label(&label, "source",
                                          ngx_http_ktp_outcome_source(source));
        ngx_http_ktp_samples_number(samples, "", &label, 1,
                                    metrics->answers[source - 1]);
    }

    ngx_http_ktp_samples_family_end(samples);
}


static void
ngx_http_ktp_status_answers_checks(ngx_http_ktp_samples_t *samples,
                                   ngx_http_ktp_metrics_t *metrics)
{
    ngx_uint_t             i;
    ngx_http_ktp_label_t   labels[2];
    ngx_http_ktp_outcome_t outcome;

    ngx_http_ktp_samples_family(samples,
                                &ngx_http_ktp_status_answers_checks_total);

    for (i = 0; i < NGX_HTTP_KTP_CHECK_FAILED; i++) {
        ngx_http_ktp_status_answers_label(
            &labels[0], "result", ngx_http_ktp_status_answers_checked[i]);
        ngx_http_ktp_samples_number(samples, "", labels, 1,
                                    metrics->checks[i]);
    }

    ngx_http_ktp_samples_family_end(samples);

    ngx_http_ktp_samples_family(samples,
                                &ngx_http_ktp_status_answers_calls_total);

    for (i = 0; i < NGX_HTTP_KTP_CHECK_FAILED; i++) {
        ngx_http_ktp_status_answers_label(
            &labels[0], "result", ngx_http_ktp_status_answers_checked[i]);

        for (outcome = NGX_HTTP_KTP_OUTCOME_OK;
             outcome <= NGX_HTTP_KTP_METRICS_OUTCOMES; outcome++) {

            if (metrics->checked[i][outcome - 1]) {
                ngx_http_ktp_status_answers_label(
                    &labels[1], "outcome", ngx_http_ktp_outcome_name(outcome));
                ngx_http_ktp_samples_number(samples, "", labels, 2,
                                            metrics->checked[i][outcome - 1]);
            }
        }
    }

    ngx_http_ktp_samples_family_end(samples);
}


static void
ngx_http_ktp_status_answers_shadows(ngx_http_ktp_samples_t *samples,
                                    ngx_http_ktp_metrics_t *metrics)
{
    ngx_uint_t           i;
    ktp_field_t          field;
    ngx_http_ktp_label_t labels[3];

    static const char *const results[NGX_HTTP_KTP_SHADOW_RESULTS] = {
        "compared", "dropped", "failed"};

    ngx_http_ktp_samples_family(samples,
                                &ngx_http_ktp_status_answers_shadows_total);

    for (i = 0; i < NGX_HTTP_KTP_SHADOW_RESULTS; i++) {
        ngx_http_ktp_status_answers_label(&labels[0], "result", results[i]);
        ngx_http_ktp_samples_number(samples, "", labels, 1,
                                    metrics->shadows[i]);
    }

    ngx_http_ktp_samples_family_end(samples);

    ngx_http_ktp_samples_family(samples,
                                &ngx_http_ktp_status_answers_fields_total);

    for (field = 0; field < KTP_LOCAL_FIELDS; field++) {
        ngx_http_ktp_status_answers_label(&labels[0], "field",
                                          ktp_field_name(field));
        ngx_http_ktp_status_answers_matches(samples, labels, 1,
                                            metrics->fields[field]);
    }

    ngx_http_ktp_samples_family_end(samples);

    ngx_http_ktp_samples_family(samples,
                                &ngx_http_ktp_status_answers_cards_total);
    ngx_http_ktp_status_answers_matches(samples, labels, 0, metrics->cards);
    ngx_http_ktp_samples_family_end(samples);
}


/* Those above zero, behind n labels for which there are two more places. */

static void
ngx_http_ktp_status_answers_matches(ngx_http_ktp_samples_t *samples,
                                    ngx_http_ktp_label_t *labels, ngx_uint_t n,
                                    ngx_http_ktp_matches_t matches)
{
    ngx_uint_t bin, agree;

    for (bin = 0; bin < KTP_LOCAL_BINS; bin++) {
        ngx_http_ktp_status_answers_label(&labels[n], "bin",
                                          ktp_local_bin(bin));

        for (agree = 0; agree < 2; agree++) {
            if (matches[bin][agree]) {
                ngx_http_ktp_status_answers_label(&labels[n + 1], "agree",
                                                  agree ? "yes" : "no");
                ngx_http_ktp_samples_number(samples, "", labels, n + 2,
                                            matches[bin][agree]);
            }
        }
    }
}


static void
ngx_http_ktp_status_answers_label(ngx_http_ktp_label_t *label,
                                  const char *name, const char *value)
{
    label->name = name;
    label->value.data = (u_char *) value;
    label->value.len = ngx_strlen(value);
}
