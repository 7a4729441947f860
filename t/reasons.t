# Each mistake has a reason of its own, in the answer and in the log, with the
# numbers that matter and the id of the request.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Client;
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);

my $nginx = KTP::Nginx->new;
my $up = KTP::Upstream->new;
my $url = $up->url;

my $conf = $nginx->config(
    main => KTP::load_module(),
    http => <<"EOC",
    log_format ktp '\$request_id \$status \$ktp_error_code \$ktp_error_reason';
    access_log logs/ktp.log ktp;
    ktp_api_key canary-api-key;
    ktp_app_id canary-app-id;
    ktp_max_pixels 1000000;
    ktp_max_image_size 64k;
EOC
    server => <<"EOC",
        location = /e { ktp_pass $url/v2; }
        location = /denied { ktp_pass $url/v2; deny all; }
        location = /plain { ktp_pass $url/v2; deny all; ktp_json_errors off; }
EOC
    log_level => 'info');

ok($nginx->start($conf), 'nginx starts') or diag($nginx->complaint);

my $json = 'application/json';
my $form = 'multipart/form-data; boundary=ktp';
my $jpeg = jpeg(800, 600);
my $log = $nginx->prefix . '/logs/ktp.log';

sub log_line {
    my ($id) = @_;

    my $deadline = time() + 3 * $KTP::Nginx::Slow;

    while (time() < $deadline) {
        return $1 if KTP::Nginx::read_file($log) =~ /^$id (.*)$/m;
        sleep 0.005;
    }

    return '';
}

# [name, way, body, status, code, reason, numbers]
my @rows = (
    ['too small', 'image/jpeg', jpeg(640, 480), 400,
     'INVALID_PAYLOAD_IMAGE_SIZE', 'too_few_pixels',
     { width => 640, height => 480, min_width => 720, min_height => 480 }],
    ['too small and upright', $json, json_body(jpeg(480, 640)), 400,
     'INVALID_PAYLOAD_IMAGE_SIZE', 'too_few_pixels',
     { width => 480, height => 640, min_width => 480, min_height => 720 }],
    ['too many pixels', $form, multipart(['image', jpeg(1200, 1000), 'a.jpg']),
     400, 'INVALID_PAYLOAD_IMAGE_SIZE', 'too_many_pixels',
     { width => 1200, height => 1000, pixels => 1200000,
       max_pixels => 1000000 }],
    ['too many bytes', $json, json_body(jpeg(800, 600, size => 65537)), 400,
     'INVALID_PAYLOAD_IMAGE_SIZE', 'too_many_bytes', { max_bytes => 65536 }],
    ['no image', $form, multipart(['file', $jpeg, 'a.jpg']), 400,
     'MISSING_PAYLOAD_IMAGE', 'image_missing', { members => 1 }],
    ['no JSON', $json, 'image=1', 400, 'INVALID_PAYLOAD', 'not_json', {}],
    ['another type', 'text/plain', 'x', 415, 'UNSUPPORTED_MEDIA_TYPE',
     'unsupported_media_type', {}],
);

for my $row (@rows) {
    my ($name, $type, $body, $status, $code, $reason, $numbers) = @$row;

    my $got = post($nginx->port, '/e', $body, "Content-Type: $type");

    check($name, $got, $status, $code, $reason, $numbers);
}

check('denied by nginx', post($nginx->port, '/denied', $jpeg), 403,
      'FORBIDDEN', 'forbidden', {});

unlike(post($nginx->port, '/plain', $jpeg)->{body}, qr/reason/,
       'a page of nginx is left alone');

done_testing();


sub check {
    my ($name, $got, $status, $code, $reason, $numbers) = @_;

    my $error = eval { decode_json($got->{body}) } // {};
    my $id = delete $error->{request_id} // '';
    my $message = delete $error->{message};

    is($got->{status}, $status, "$name: status");
    like($got->{body}, qr/^\{"message":"[^"]+","error_code":"$code",/,
         "$name: the old members come first");
    is_deeply($error,
              { error_code => $code, reason => $reason, %$numbers },
              "$name: $reason, and the numbers");
    like($id, qr/^[0-9a-f]{32}\z/, "$name: an id");
    is(log_line($id), "$status $code $reason", "$name: the same in the log");
}
