# scripts/check-layers passes on the tree and, in a copy of it, refuses what
# the table does not allow: for each room, a header of each other room and a
# header of each library that its row does not name.

use strict;
use warnings;

use lib 't/lib';
use KTP ();
use KTP::Nginx;
use Test::More;

my %library = (
    c => '<string.h>', posix => '<unistd.h>', simd => '<immintrin.h>',
    nginx => '<ngx_config.h>', curl => '<curl/curl.h>',
    leptonica => '<leptonica/allheaders.h>', microhttpd => '<microhttpd.h>',
    omp => '<omp.h>', openssl => '<openssl/evp.h>', seccomp => '<seccomp.h>',
    spng => '<spng.h>', tesseract => '<tesseract/capi.h>',
    jpeg => '<jpeglib.h>', yajl => '<yajl/yajl_gen.h>',
    hiredis => '<hiredis/hiredis.h>',
);

my $copy = KTP::Nginx::scratch_dir();
system('cp', '-r', 'src', glob('*.c'), $copy) == 0 or die "cp: $?\n";

# exit status, and what was printed, by "file:line"
sub check_layers {
    my ($dir) = @_;

    my @out = `scripts/check-layers $dir 2>&1`;
    my %said;

    /^([^:]+:\d+): (.*)/ and push @{ $said{$1} }, $2 for @out;

    return ($? >> 8, \%said, join '', @out);
}

# puts a file into the copy and takes its old content back
my @added;

sub add {
    my ($name, @lines) = @_;

    KTP::Nginx::write_file("$copy/$name", join '', map { "$_\n" } @lines);
    push @added, $name;
}

my ($status, $said, $out) = check_layers('.');
is($out, '', 'nothing is refused in the tree');
is($status, 0, 'and the exit status is 0');

# the table, and a public header of each room that has one
my (%row, %rooms, %libraries, %header);

for (split /\n/, `scripts/check-layers --table`) {
    my ($room, $allowed, $libraries) = /^(\S+): (.*)\| ?(.*)/ or die "$_\n";

    $row{$room} = [ split ' ', $allowed ];
    $libraries{$room} = { map { $_ => 1 } split ' ', $libraries };
}

for my $room (keys %row) {
    my $dir = $room eq 'module' ? next : "src/$room";

    ($header{$room}) = grep { !/_(?:curl|doc|sums|weights)\.h$/ }
                       map { m{([^/]+)$} } sort glob "$dir/*.h";
    ok($header{$room}, "$room has a header");

    for my $entry (@{ $row{$room} }) {
        my $top = $entry =~ m{^(.*)/\*$} ? $1 : undef;

        $rooms{$room}{$_} = 1 for grep {
            $_ eq $entry || defined $top && ($_ eq $top || m{^\Q$top\E/})
        } keys %row;
    }
}
$rooms{module} = { map { $_ => 1 } grep { m{^(?:contract|gateway)} } keys %row };

is(join(' ', sort grep { !$row{$_} } map { s{^src/}{}r } folders('src')), '',
   'each folder with sources has a row');

sub folders {
    return map {
        ((grep { /\.[ch]$/ } glob "$_/*") ? $_ : (),
         folders(grep { -d } glob "$_/*"))
    } @_;
}

# one file a room, one line an include; what of it is to be refused
my (%refused, %passes);

for my $room (sort keys %row) {
    my $file = $room eq 'module' ? 'probe_json.c' : "src/$room/probe_json.c";
    my $nginx = $libraries{$room}{nginx};
    my @lines = $nginx ? '#include <ngx_config.h>' : '#include <stddef.h>';

    for my $other (sort keys %header) {
        push @lines, "#include \"$header{$other}\"";
        next if $other eq $room;

        my $single = grep { $_ eq "$other/$header{$other}" } @{ $row{$room} };
        my $set = $rooms{$room}{$other} || $single ? \%passes : \%refused;
        $set->{"$file:" . @lines} = [$room, $header{$other}];
    }

    for my $name (sort keys %library) {
        push @lines, "#  include $library{$name}";

        my $set = $libraries{$room}{$name} && $name !~ /^(?:hiredis|tesseract)$/
            ? \%passes : \%refused;
        $set->{"$file:" . @lines} = [$room, $library{$name}];
    }

    add($file, @lines);
}

($status, $said) = check_layers($copy);
isnt($status, 0, 'a tree with forbidden includes fails');

for my $where (sort keys %refused) {
    my ($room, $what) = @{ $refused{$where} };

    ok($said->{$where} && $said->{$where}[0] =~ /the row is "\Q$room: \E/,
       "$room does not include $what");
}

is(join(' ', grep { $said->{$_} } sort keys %passes), '',
   scalar(keys %passes) . ' includes that a row allows are not refused');

my %by_room;
$by_room{ $refused{$_}[0] }++ for keys %refused;
is(join(' ', grep { !$by_room{$_} } sort keys %row), '',
   'each row has refused something');

unlink "$copy/$_" for splice @added;

# what is not a question of rows
my @cases = (
    ['a private header of the transport',
     'src/gateway/request/probe.c', '#include <ngx_config.h>',
     '#include "ngx_http_ktp_transport_curl.h"'],
    ['a private header of the answer', 'src/extractd/probe.c', '',
     '#include "ktp_answer_doc.h"'],
    ["a private header of a network", 'src/reader/page/probe.c', '',
     '#include "ktpr_line_net_sums.h"'],
    ['libcurl in the public header of the transport',
     'src/gateway/transport/ngx_http_ktp_probe.h', '#pragma once',
     '#include <curl/curl.h>'],
    ['yajl in a file that is not named after JSON',
     'src/contract/base/probe.c', '', '#include <yajl/yajl_gen.h>'],
    ['tesseract in another file', 'src/reader/ocr/ktpr_probe.c', '',
     '#include <tesseract/capi.h>'],
    ['hiredis in another file', 'src/gateway/fleet/ngx_http_ktp_probe.c',
     '#include <ngx_config.h>', '#include <hiredis/hiredis.h>'],
    ['a header of the tests', 'src/contract/base/probe.c', '',
     '#include "case.h"'],
    ['a header of the benchmarks', 'src/reader/base/probe.c', '',
     '#include "specimens.h"'],
    ['a path', 'src/contract/base/probe.c', '',
     '#include "../image/ktp_probe.h"'],
    ['angle brackets', 'src/contract/base/probe.c', '',
     '#include <ktp_probe.h>'],
    ['a source', 'src/contract/base/probe.c', '', '#include "ktp_base64.c"'],
    ['a macro', 'src/contract/base/probe.c', '', '#include KTP_HEADER'],
    ['a comment before the name', 'src/contract/base/probe.c', '',
     '#include /* so */ "ktp_probe.h"'],
    ['a library that no row names', 'src/contract/base/probe.c', '',
     '#include <png.h>'],
    ["a system header before nginx's", 'src/gateway/memory/probe.c', '',
     '#include <string.h>', '#include <ngx_config.h>'],
);

for my $case (@cases) {
    my ($name, $file, @lines) = @$case;

    add($file, @lines);
    ($status, $said) = check_layers($copy);
    unlink "$copy/" . pop @added;

    ok($status != 0 && $said->{"$file:2"}, "$name is refused")
        or diag(explain($said));
}

# by a header of ours
add('src/contract/base/probe.h', '#include <string.h>');
add('src/gateway/memory/probe.c', '#include "probe.h"',
    '#include <ngx_config.h>');
($status, $said) = check_layers($copy);
like($said->{'src/contract/base/probe.h:1'}[0] || '',
     qr{<string\.h>.*src/gateway/memory/probe\.c},
     "a system header before nginx's is found in a header of ours");
unlink "$copy/$_" for splice @added;

add('src/gateway/memory/probe.c', '#include "ktp_cpu.h"');
($status, $said) = check_layers($copy);
like($said->{'src/gateway/memory/probe.c:1'}[0] || '',
     qr{^<ngx_config\.h> is not included}, "nginx's header is missing");
unlink "$copy/$_" for splice @added;

mkdir "$copy/src/cellar";
add('src/cellar/probe.c', '#include <stddef.h>');
($status, $said) = check_layers($copy);
ok($status != 0 && $said->{'src/cellar/probe.c:1'},
   'a folder that has no row is refused');
unlink "$copy/$_" for splice @added;
rmdir "$copy/src/cellar";

($status, $said, $out) = check_layers($copy);
is($out, '', 'and the copy passes without them');

# the compiler is told the same
is(`scripts/check-layers --includes contract/base`, "-Isrc/contract/base\n",
   'contract/base is compiled with its own folder only');

sub compiles {
    my ($room, $header) = @_;

    KTP::Nginx::write_file("$copy/probe.c", "#include \"$header\"\n");
    my $flags = `scripts/check-layers --includes $room`;
    chomp $flags;

    return system("cc -fsyntax-only $flags $copy/probe.c 2> $copy/log") == 0;
}

ok(compiles('contract/image', 'ktp_crc32.h'),
   'contract/image is compiled with contract/base');
ok(!compiles('contract/base', 'ktp_probe.h'),
   'contract/base is compiled without contract/image');

for my $room (sort keys %row) {
    my %reach = map { $_ => 1 } reach($room);
    my @flags = `scripts/check-layers --includes $room` =~ m{-Isrc/(\S+)}g;

    is(join(' ', grep { !$reach{$_} } @flags), '',
       "-I of $room leads nowhere that its row does not");
}

# rooms that a row leads to, and those of single headers and what they include
sub reach {
    my ($room, $seen) = @_;

    $seen ||= {};
    return if $seen->{$room}++;

    return ($room,
            (map { header_rooms($_) } map { m{([^/]+\.h)$} } @{ $row{$room} }),
            map { reach($_, $seen) } keys %{ $rooms{$room} || {} });
}

sub header_rooms {
    my ($file) = grep { -e } map { glob "src/$_" }
                 $_[0], "*/$_[0]", "*/*/$_[0]" or return ();
    my ($room) = $file =~ m{^src/(.*)/};

    return ($room, map { header_rooms($_) }
                   KTP::Nginx::read_file($file) =~ /^#include "(.*)"/mg);
}

done_testing();
