# Bad values of the directives about answers: what nginx says of each.

use strict;
use warnings;

use lib 't/lib';
use KTP;
use Test::Nginx::Socket 'no_plan';

my $pass = 'ktp_pass http://127.0.0.1:1/x;';
my $dir = $ENV{TEST_NGINX_DIR};

# [directives of a location, what nginx says]
my @rows = (
    ['ktp_fields;', 'invalid number of arguments in "ktp_fields" directive'],
    ['ktp_fields nik; ktp_fields nik;', '"ktp_fields" directive is duplicate'],
    ['ktp_fields name;', 'unknown field "name"'],
    ['ktp_fields nik all;', 'unknown field "all"'],
    ['ktp_fields nik city nik;', 'duplicate field "nik"'],
    ["ktp_fields '';", 'unknown field ""'],

    ['ktp_mask;', 'invalid number of arguments in "ktp_mask" directive'],
    ['ktp_mask nik; ktp_mask nik;', '"ktp_mask" directive is duplicate'],
    ['ktp_mask name=full;', 'unknown field "name"'],
    ['ktp_mask nik none;', 'unknown field "none"'],
    ['ktp_mask nik=last:4 nik;', 'duplicate field "nik"'],
    ['ktp_mask image_quality;', 'field "image_quality" cannot be masked'],
    (map {
        ["ktp_mask nik=$_;",
         "invalid mask \"nik=$_\" in \"ktp_mask\" directive, it must be "
         . '"full", "first:N" or '
         . '"last:N" with N from 1 to 64, or "hash"']
    } qw(no last last: last:0 last:65 last:-1 first:1x hash:1), ''),
    ["$pass ktp_mask nik=hash;",
     '"ktp_mask" with "hash" requires "ktp_log_key"'],

    ['ktp_nik_check maybe;',
     'invalid value "maybe" in "ktp_nik_check" directive, it must be "on" '
     . 'or "off"'],
    ['ktp_nik_check on; ktp_nik_check on;',
     '"ktp_nik_check" directive is duplicate'],

    ["ktp_log_key '';", '"ktp_log_key" directive value is empty or '
                        . 'contains control characters'],
    ['ktp_log_key a; ktp_log_key a;', '"ktp_log_key" directive is duplicate'],
    ['ktp_log_key a b;',
     'invalid number of arguments in "ktp_log_key" directive'],
    ['ktp_log_key file:;', 'no path in "file:"'],
    ["ktp_log_key file:$dir/none;",
     "open() \"$dir/none\" failed (2: No such file or directory)"],
    ["ktp_log_key file:$dir/empty;",
     "first line of \"$dir/empty\" is empty, too long, or contains "
     . 'control characters'],

    ['ktp_status on;', 'invalid number of arguments in "ktp_status" directive'],
    ['ktp_status; ktp_status;', '"ktp_status" directive is duplicate'],
    ['ktp_status;', '"ktp_status" requires "ktp_zone"'],

    ['ktp_console status=//other.example/metrics;',
     'invalid parameter "status=//other.example/metrics" in "ktp_console" '
     . 'directive, it must be "status=URI" with a relative URI or an absolute '
     . 'path, such as "status=metrics"'],
    ['ktp_console; ktp_console status=/a;',
     '"ktp_console" directive is duplicate'],
    ['ktp_console status=/a status=/b;',
     'invalid number of arguments in "ktp_console" directive'],

    ['ktp_health on;', 'invalid number of arguments in "ktp_health" directive'],
    ['ktp_health; ktp_health;', '"ktp_health" directive is duplicate'],
    ['ktp_health;', '"ktp_health" requires "ktp_zone"'],

    ['ktp_pass_trace maybe;',
     'invalid value "maybe" in "ktp_pass_trace" directive, it must be "on" '
     . 'or "off"'],
    ['ktp_pass_trace on; ktp_pass_trace on;',
     '"ktp_pass_trace" directive is duplicate'],
);

KTP::Nginx::write_file("$dir/empty", "\n");

my $n = 0;

spec_string(join '', map {
    my ($text, $message) = @$_;

    $n++;
    <<EOS;
=== TEST $n: $text
--- config
location /x { $text }
--- must_die
--- error_log
[emerg]
$message
--- no_error_log
[alert]

EOS
} @rows);

run_tests();
