# What the documents name exists: files, links and their anchors, targets of
# make, functions and types.

use strict;
use warnings;

use lib 't/lib';
use File::Basename qw(dirname);
use File::Find ();
use KTP ();
use KTP::Nginx;
use Test::More;

# of the worked example in docs/hacking.md
my %example = map { $_ => 1 } qw(t/max-side.t);

my @docs = (glob('*.md docs/*.md'), qw(bench/README.md data/README.md));
my %text = map { $_ => KTP::Nginx::read_file($_) } @docs;

ok($text{$_}, "$_ is there")
    for qw(README.md CONTRIBUTING.md docs/hacking.md docs/contract.md
           docs/accuracy.md);


# -- files and folders of the tree

my $top = qr/src|t|docs|scripts|bench|conf-examples|data|debian|mk|train/;
my ($paths, $links, $targets, $names) = (0, 0, 0, 0);

for my $doc (@docs) {
    my %paths = map { $_ => 1 }
                $text{$doc} =~ m{(?<![\w/.:-])((?:$top)/[\w./*-]*[\w*])}g;

    for my $path (grep { !$example{$_} } sort keys %paths) {
        my @found = grep { -e } glob $path;

        $paths++;
        ok(@found, "$doc: $path exists");
    }
}

cmp_ok($paths, '>', 50, 'paths were found');


# -- links

for my $doc (@docs) {
    for my $link ($text{$doc} =~ /\]\(([^)\s]+)\)/g) {
        next if $link =~ m{^[a-z]+://};

        my ($path, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
        my $file = $path eq '' ? $doc : clean(dirname($doc) . "/$path");

        $links++;
        ok(-e $file, "$doc: the link to $link leads to a file");

        if (defined $anchor) {
            my %anchors = map { anchor($_) => 1 }
                          KTP::Nginx::read_file($file) =~ /^#+ +(.*?) *$/mg;

            ok($anchors{$anchor}, "$doc: $link leads to a heading");
        }
    }
}

cmp_ok($links, '>', 10, 'links were found');


# -- targets of make

my $makefiles = join '', map { KTP::Nginx::read_file($_) }
                         'Makefile', glob 'mk/*.mk';
my %targets = map { $_ => 1 } $makefiles =~ /^([a-z][a-z-]*):(?!=)/mg;

for my $doc (@docs) {
    my @commands = ($text{$doc} =~ /`make ([^`]*)`/g,
                    $text{$doc} =~ /^ {4,}make (.*)$/mg);

    for my $target (map { targets($_) } @commands) {
        $targets++;
        ok($targets{$target}, "$doc: make $target is a target");
    }
}

cmp_ok($targets, '>', 10, 'targets were found');


# -- functions and types

my $source = '';

File::Find::find({no_chdir => 1, wanted => sub {
    $source .= KTP::Nginx::read_file($_) if /\.[ch]$/;
}}, 'src', 'ngx_http_ktp_module.c');

my %known = map { $_ => 1 }
            $source =~ /\b((?:ngx_http_ktp|ktp[rdx]?)_\w+)(?=\(|\b)/g;

for my $doc (@docs) {
    my %names = map { $_ => 1 }
        $text{$doc} =~ /`((?:ngx_http_ktp|ktp[rdx]?)_\w+)\(\)`/g,
        $text{$doc} =~ /`((?:ngx_http_ktp|ktp[rdx]?)_\w+_t)`/g;

    for my $name (sort keys %names) {
        $names++;
        ok($known{$name}, "$doc: $name is in the source");
    }
}

cmp_ok($names, '>', 5, 'names were found');

done_testing();


# The targets of a command line: neither options nor variables, nor files.
sub targets {
    my ($command) = @_;

    $command =~ s/\s*(?:&&|[;#|>]).*//s;
    $command =~ s/[A-Z]+=(?:"[^"]*"?|\S*)//g;

    return grep { /^[a-z][a-z-]*$/ } split ' ', $command;
}


# A path without "..", so that it reads as one of the tree's.
sub clean {
    my ($path) = @_;

    $path =~ s{^\./}{};
    1 while $path =~ s{(?:^|(?<=/))(?!\.\./)[^/]+/\.\./}{};

    return $path;
}


# The anchor that a heading gets: as GitHub makes it.
sub anchor {
    my ($heading) = @_;

    my $anchor = lc $heading;

    $anchor =~ s/[^\w\- ]//g;
    $anchor =~ tr/ /-/;

    return $anchor;
}
