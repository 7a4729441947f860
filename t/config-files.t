# Files that directives name, of each kind that is no regular file: "nginx -t"
# refuses it at once, and says which; and a refused reload leaves no trace in
# the zone.

use strict;
use warnings;

use IO::Socket::UNIX;
use lib 't/lib';
use KTP ();
use KTP::Nginx;
use POSIX qw(mkfifo);
use Test::More;
use Time::HiRes qw(time);

my $nginx = KTP::Nginx->new;
my $prefix = $nginx->prefix;
my $pass = 'location = /x { ktp_pass https://127.0.0.1:1/x; ';

mkfifo("$prefix/fifo", 0600) or BAIL_OUT("mkfifo: $!");
mkdir "$prefix/folder";
symlink "$prefix/fifo", "$prefix/link";
my $socket = IO::Socket::UNIX->new(Local => "$prefix/socket", Listen => 1)
    or BAIL_OUT("socket: $!");

# those of the configuration, [what is in http, what is in server]
my %directive = (
    'ktp_zone state'              => ['ktp_zone k:1m state=%s;', ''],
    'ktp_app_id'                  => ['', 'ktp_app_id file:%s;'],
    'ktp_api_key'                 => ['', 'ktp_api_key file:%s;'],
    'ktp_log_key'                 => ['', 'ktp_log_key file:%s;'],
    'ktp_ssl_trusted_certificate' => ['', "$pass ktp_ssl_trusted_certificate %s; }"],
    'ktp_ssl_certificate'         => ['', "$pass ktp_ssl_certificate %s; "
                                          . 'ktp_ssl_certificate_key %s; }'],
);

sub try {
    my ($http, $server) = @_;

    local $SIG{ALRM} = sub { die "alarm\n" };
    alarm 20 * $KTP::Nginx::Slow;
    my @result = eval {
        $nginx->test($nginx->config(main => KTP::load_module(),
                                    http => $http, server => $server));
    };
    alarm 0;

    # one that hangs in open() is let go
    unless (@result) {
        open my $end, '+<', "$prefix/fifo";
        return (0, 'hangs');
    }

    return @result;
}

for my $name (sort keys %directive) {
    for my $kind (qw(fifo link folder socket), '/dev/zero') {
        my $path = $kind =~ m{/} ? $kind : "$prefix/$kind";
        my ($status, $said) = try(map { s/%s/$path/gr } @{ $directive{$name} });

        isnt($status, 0, "$name: $kind is refused");
        like($said, qr/\[emerg\].* "\Q$path\E" is not a regular file/,
             "$name: $kind, and it is said");
    }

    next if $name eq 'ktp_zone state';

    my ($status, $said) = try(map { s/%s/$prefix\/none/gr }
                              @{ $directive{$name} });
    isnt($status, 0, "$name: no such file");
    like($said, qr/\[emerg\].* open\(\) "\Q$prefix\E\/none" failed \(2: /,
         "$name: no such file, and it is said");
}

sub clients {
    my ($zone, @names) = @_;

    return $nginx->config(
        log_level => 'notice', master => 'on', main => KTP::load_module(),
        http => "ktp_zone k:$zone; "
                . join ' ', map { "ktp_client $_ { quota 5/day; }" } @names);
}

# what a reload with these clients was refused for, or ''
sub reload {
    my ($zone, @names) = @_;

    my $seen = -s $nginx->prefix . '/logs/error.log';
    my $said;

    KTP::Nginx::write_file("$prefix/conf/nginx.conf", clients($zone, @names));
    $nginx->signal('HUP');
    KTP::Nginx::wait_for(sub {
        $said = $nginx->log_from($seen);
        $said =~ /\[emerg\]|gracefully shutting down/
    });

    return $said =~ /\[emerg\] \S+ (.*)/ ? $1 : '';
}

# -- each way to be too many, again and again: those before are at home after

for my $zone ('32k', '64k') {
    my @fill;

    $nginx->start(clients($zone, 'a', 'b')) or BAIL_OUT($nginx->complaint);

    for my $round (1 .. 3) {
        like(reload($zone, map { "r${round}_$_" } 1 .. 2000),
             qr/ktp_zone "k" is too small for 2000 clients, has room for \d+/,
             "$zone, round $round: too many are refused");
        like(reload($zone, 'a', 'b', map { "s${round}_$_" } 1 .. 2000),
             qr/ktp_zone "k" is too small for 2002 clients/,
             "$zone, round $round: with those that are there too");
        push @fill, "n$round";
        is(reload($zone, 'a', 'b', @fill), '',
           "$zone, round $round: a new one finds room");
    }

    # as many as there is room for, and not one more
    my ($room) = reload($zone, 'a', 'b', map { "t$_" } 1 .. 2000)
        =~ /has room for (\d+)/;

    like(reload($zone, 'a', 'b', map { "t$_" } 1 .. $room - 1),
         qr/too small for @{[ $room + 1 ]} clients, has room for $room;/,
         "$zone: one more than $room");
    is(reload($zone, 'a', 'b', map { "t$_" } 1 .. $room - 2), '',
       "$zone: $room, as it was told");

    $nginx->stop;
}

done_testing();
