# Every row of the contract, each way in, in the chunked coding.

use strict;
use warnings;

use lib 't/lib';
use KTP;
use KTP::Cases;
use Test::Nginx::Socket 'no_plan';

log_level('info');
spec_string(KTP::Cases::spec('chunked', <<'EOC'));
--- config
    location = /v2/ktp/extract {
        ktp_pass $TEST_NGINX_UPSTREAM/v2/ktp/extract;
        ktp_app_id $TEST_NGINX_APP_ID;
        ktp_api_key $TEST_NGINX_API_KEY;
    }
EOC

run_tests();
