# Authentication and identification: who gets in by "satisfy", by a password,
# by an address, by a key, and as which client.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use lib 't/lib';
use KTP ();
use KTP::Image;
use KTP::Nginx;
use KTP::Upstream;
use Test::More;

my $upstream = KTP::Upstream->new;
my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;
my $url = $upstream->url;

KTP::Nginx::write_file("$prefix/body", jpeg(800, 600));
KTP::Nginx::write_file("$prefix/html/page", 'page');
KTP::Nginx::write_file("$prefix/users",
                       join '', map { "$_:{PLAIN}pass\n" } qw(one off stranger));

my %access = (near => 'allow 127.0.0.1; deny all;', far => 'deny all;',
              nowhere => '');
my %password = (basic => "auth_basic x; auth_basic_user_file $prefix/users;",
                subrequest => 'auth_request /ask;
                    auth_request_set $asked $upstream_http_x_who;',
                none => '');
my %name = (basic => '$remote_user', subrequest => '$asked',
            none => '$remote_user');
my %content = (card => "ktp_pass $url/x;", page => "alias $prefix/html/page;");

my ($locations, @places) = '';

for my $satisfy ('all', 'any') {
    for my $from (sort keys %access) {
        for my $by (sort keys %password) {
            for my $auth ('name', 'key') {
                for my $what (sort keys %content) {
                    my $value = $auth eq 'key' ? 'on' : $name{$by};

                    push @places, [$satisfy, $from, $by, $auth, $what];
                    $locations .= "location = /$#places { satisfy $satisfy;
                        $access{$from} $password{$by} ktp_auth $value;
                        $content{$what} }\n";
                }
            }
        }
    }
}

$nginx->start($nginx->config(main => KTP::load_module(), log_level => 'info',
                             http => <<EOH, server => <<EOS))
    ktp_client one { key_sha256 @{[sha256_hex('key')]}; }
    ktp_client off { key_sha256 @{[sha256_hex('off')]}; disabled; }
EOH
        add_header X-Client "<\$ktp_client>" always;
        $locations
        location = /ask {
            internal;
            proxy_pass http://127.0.0.1:\$server_port/check;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }
        location = /check {
            auth_basic x;
            auth_basic_user_file $prefix/users;
            add_header X-Who \$remote_user;
            try_files /page =404;
        }
EOS
    or BAIL_OUT($nginx->complaint);

# user, password, App-ID and API-Key
my @callers = (['nobody'], ['one with the password', 'one', 'pass'],
    ['one with a wrong password', 'one', 'wrong'],
    ['one that is disabled', 'off', 'pass'],
    ['one that is no client', 'stranger', 'pass'],
    ['one with its key', undef, undef, 'one', 'key'],
    ['one with a wrong key', undef, undef, 'one', 'wrong'],
    ['a disabled one with its key', undef, undef, 'off', 'off'],
    ['one with both', 'one', 'pass', 'one', 'key']);

for my $n (0 .. $#places) {
    for my $caller (@callers) {
        my ($want, $client) = expected($places[$n], $caller);
        my ($title, $user, $pass, $id, $key) = @$caller;
        my @args;

        push @args, '-u', "$user:$pass" if $user;
        push @args, '-H', "App-ID: $id", '-H', "API-Key: $key" if $id;
        push @args, '-H', 'Content-Type: image/jpeg', '--data-binary',
            "\@$prefix/body" if $places[$n][4] eq 'card';

        my $answer = KTP::Nginx::curl(
            "http://127.0.0.1:@{[$nginx->port]}/$n", @args);
        my ($was) = $answer->{head} =~ /^X-Client: <(.*)>/m;
        my $name = "satisfy @{$places[$n]}: $title";

        is($answer->{status}, $want, $name);
        is($was // '', $client, "$name: as whom") if $want == 200;
        like($answer->{head}, qr/^WWW-Authenticate: \S/m, "$name: a challenge")
            if $want == 401;
    }
}

unlike($nginx->log_from, qr/\[(alert|crit|emerg)\]/, 'a clean log');

done_testing();


sub expected {
    my ($place, $caller) = @_;
    my ($satisfy, $from, $by, $auth, $what) = @$place;
    my (undef, $user, $pass, $id, $key) = map { $_ // '' } @$caller[0 .. 4];

    my $has_password = $user && $pass eq 'pass';
    my $has_key = $key && $key ne 'wrong';
    my @checks;

    push @checks, $from eq 'near' ? 200 : 403 if $from ne 'nowhere';
    push @checks, $has_password ? 200 : 401 if $by ne 'none';

    # a disabled client is refused as such
    push @checks, !$has_key ? 401 : $id eq 'off' ? 403 : 200
        if $auth eq 'key';

    my ($granted) = grep { $_ == 200 } @checks;
    my ($refused) = grep { $_ != 200 } @checks;

    if ($satisfy eq 'all' ? $refused : @checks && !$granted) {
        # "any" prefers 401, since credentials may help
        ($refused) = sort @checks if $satisfy eq 'any';
        return $refused;
    }

    if ($auth eq 'key') {
        return $has_key ? $id eq 'off' ? 403 : (200, 'one') : (200, '');
    }

    # what auth_request said is known only where it was asked
    my $asked = $satisfy eq 'all' || $from ne 'near';
    my $claim = $by eq 'subrequest' ? ($asked && $has_password ? $user : '')
                                    : $user;

    return $claim eq '' ? 401 : $claim eq 'one' ? (200, 'one') : 403;
}
