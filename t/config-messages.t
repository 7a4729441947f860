# Messages of "nginx -t" that no other test quotes; and that none is missing: a
# part of each message in the source, between its values, stands in a file of
# this folder.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use Test::More;

my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;

KTP::Nginx::write_file("$prefix/empty.pem", '');
KTP::Nginx::write_file("$prefix/no.pem", "no certificate\n");

KTP::Nginx::write_file("$prefix/fleet", 'k' x 32 . "\n");
KTP::Nginx::write_file("$prefix/short", 'k' x 31 . "\n");

my $pass = 'ktp_pass https://127.0.0.1:1/x;';
my $zones = 'ktp_zone k:1m; ktp_answer_zone a:1m;';

# [message, what is in location /x, what is in http]
for my $row (
    ['"ktp_forget" requires "ktp_answer_zone"', 'ktp_forget;'],
    ['field "image_quality" cannot be masked in "ktp_mask" directive, it must be '
     . 'a text', "$pass ktp_mask image_quality;"],
    ['prefix "env:" in "ktp_api_key" directive is not supported, it must be '
     . '"file:PATH", a variable, or the value itself',
     "$pass ktp_api_key env:KEY;"],
    ['no path in "file:" in "ktp_app_id" directive', "$pass ktp_app_id file:;"],
    ['"$" without "%24" in proxy URL in "ktp_egress_proxy" directive, it must be '
     . '"off" or "http://[USER:PASSWORD@]HOST:PORT"',
     "$pass ktp_egress_proxy 'http://\$u\@h:1';"],
    ['a character of the user or password that must be percent-encoded '
     . '("@" as "%40", "/" as "%2F") in proxy URL',
     "$pass ktp_egress_proxy http://a\@b\@h:1;"],
    ['invalid host in proxy URL', "$pass ktp_egress_proxy http://unix:/a:1;"],
    ['no "ktp_ssl_certificate_key" is defined for certificate '
     . qq{"$prefix/no.pem"}, "$pass ktp_ssl_certificate $prefix/no.pem;"],
    ['"ktp_ssl_trusted_certificate" directive: '
     . qq{cannot load trusted certificates from "$prefix/no.pem": },
     "$pass ktp_ssl_trusted_certificate $prefix/no.pem;"],
    [qq{"ktp_ssl_certificate" directive: "$prefix/empty.pem" }
     . 'is empty or larger than 256k',
     "$pass ktp_ssl_certificate $prefix/empty.pem; "
     . "ktp_ssl_certificate_key $prefix/no.pem;"],
    ['invalid path "$HOME/key" in "ktp_api_key" directive, '
     . 'the only variable allowed is "$CREDENTIALS_DIRECTORY/" at the beginning',
     "$pass ktp_api_key file:\$HOME/key;"],
    ['unknown field "name" in "ktp_fields" directive, did you mean "full_name"? '
     . 'it must be one of: nik full_name ', "$pass ktp_fields name;"],
    ['zone "z:4k" is too small in "ktp_zone" directive, it must be at least ',
     '', 'ktp_zone z:4k;'],
    ['"ktp_dedupe" with "fleet" in location "/x" requires "ktp_redis"',
     "$pass ktp_dedupe on fleet;", "$zones ktp_fleet_key file:$prefix/fleet;"],
    ['"ktp_dedupe" with "fleet" in location "/x" requires "ktp_fleet_key"',
     "$pass ktp_dedupe on fleet;", "$zones ktp_redis 127.0.0.1;"],
    ['"ktp_fleet_key" directive is duplicate', '',
     "ktp_fleet_key file:$prefix/fleet; ktp_fleet_key file:$prefix/fleet;"],
    ['invalid value in "ktp_fleet_key" directive, it must be "file:PATH"', '',
     'ktp_fleet_key ' . 'k' x 32 . ';'],
    [qq{key in "file:$prefix/short" in "ktp_fleet_key" directive is too short, }
     . 'its first line must have 32 characters or more', '',
     "ktp_fleet_key file:$prefix/fleet file:$prefix/short;"],
    ['invalid port in URL "https://h:0/x" in "ktp_pass" directive, it must be ',
     'ktp_pass https://h:0/x;']) {

    my ($want, $location, $http) = @$row;
    my ($status, $said) = $nginx->test($nginx->config(
        main => KTP::load_module(), http => $http // '',
        server => "location /x { $location deny all; }"));

    isnt($status, 0, 'nginx -t refuses ' . substr("$location " . ($http // ''), 0, 70));
    like($said, qr/^nginx: \[emerg\] \Q$want\E/m, '... with its message');
}

# a reload is refused, and nginx goes on

my $redis = "ktp_zone z:1m; ktp_redis unix:$prefix/none;";

for my $row (
    [off => $redis, 'a configuration with "ktp_redis" cannot be replaced by '
     . 'reload with "master_process off"', $redis],
    [on => 'ktp_zone y:2m;', 'name and size of "ktp_zone" cannot be changed by '
     . 'reload, since workers shutting down still use "z"'],
    [off => '', '"ktp_zone" cannot be removed by reload with '
     . '"master_process off"']) {

    my ($master, $http, $want, $before) = @$row;
    my %opt = (master => $master, main => KTP::load_module(),
               server => 'location /x { return 204; }');

    $nginx->start($nginx->config(%opt, http => $before // 'ktp_zone z:1m;'))
        or BAIL_OUT($nginx->complaint);
    KTP::Nginx::write_file("$prefix/conf/nginx.conf",
                           $nginx->config(%opt, http => $http));
    $nginx->signal('HUP');

    # a single process looks at signals when a request wakes it
    my $status;

    ok(KTP::Nginx::wait_for(sub {
        $status = KTP::Nginx::curl(
            'http://127.0.0.1:' . $nginx->port . '/x')->{status};

        return $nginx->log_from(0) =~ /\[emerg\] .*\Q$want\E/;
    }), "refused: $want");
    is($status, 204, 'nginx goes on');
    $nginx->stop;
}

# texts of tests, with their strings joined
my $tests = '';

# a parameter of 4096 bytes is refused by nginx itself; a file has to change,
# or its close() to fail, within microseconds
my %exempt = map { $_ => 1 } 'value is too long', ' "%V" failed',
             '"%s" directive: "%V" was modified while being read';

for my $file (glob 't/*.t') {
    my $text = KTP::Nginx::read_file($file);

    $text =~ s/\\//g;
    $text =~ s/(['"])\s*\.\s*\n?\s*\1//g;
    $text =~ s/\s+/ /g;
    $tests .= "$text\n";
}

my %seen;

for my $file (glob('*.c src/gateway/conf/*.c src/gateway/shared/*.c '
                   . 'src/gateway/call/*.c src/gateway/fleet/*.c')) {

    my $text = KTP::Nginx::read_file($file);
    my @messages;

    # what a setter returns, and what is logged while cf is at hand
    push @messages, $1 while $text =~ /\breturn\s+((?:"(?:[^"\\]|\\.)*"\s*)+);/g;
    push @messages, $1
        while $text =~ /\bngx_conf_log_error\([^"]*?((?:"(?:[^"\\]|\\.)*"\s*)+)/g;

    for my $message (@messages) {
        $message =~ s/(?<!\\)"\s*"//g;
        $message =~ s/^"|"\s*$//g;
        $message =~ s/\\//g;
        next if $seen{$message}++ || $message !~ / / || $exempt{$message};

        # stretches between values, of a length that is no accident
        my @parts = map { split /[,:] /, $_ }
                    split /%(?:\*s|[-0-9]*(?:V|s|O|u?[dizTM]))/, $message;
        @parts = map { s/^["\s]+|["\s]+$//gr } @parts;
        @parts = $message =~ /%/ ? grep { length >= 14 } @parts : $message;
        next if !@parts;

        my ($found) = grep { index($tests, $_) >= 0 } @parts;

        ok($found, "tested: $message");
    }
}

cmp_ok(scalar keys %seen, '>', 60, 'messages are found');

done_testing();
