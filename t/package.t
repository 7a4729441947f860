# The Debian packages: built twice, in folders of different names, they are the
# same; what is in them; what lintian says; and what they leave on a machine
# when they are installed, used and purged.  The machine is this one under an
# overlay in a mount namespace, with a loopback of its own.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
use KTP::Nginx;
use POSIX ();
use Test::More;

plan skip_all => 'no dpkg-buildpackage' if !-x '/usr/bin/dpkg-buildpackage';
plan skip_all => 'not a checkout' if !-e '.git';
plan skip_all => 'one build is packaged' if $KTP::Nginx::Variant ne 'release';

my $dir = KTP::Nginx::scratch_dir();
my ($version) = `head -1 debian/changelog` =~ /\((.*)\)/;

# what a package has, beside its documents
my %expected = (
    'libnginx-mod-http-ktp' => <<'END',
-rw-r--r-- root/root usr/lib/nginx/modules/ngx_http_ktp_module.so
-rw-r--r-- root/root usr/lib/systemd/system/nginx.service.d/ktp.conf
-rw-r--r-- root/root usr/share/ktp-capture/index.html
-rw-r--r-- root/root usr/share/ktp-capture/ktp-capture.css
-rw-r--r-- root/root usr/share/ktp-capture/ktp-capture.js
-rw-r--r-- root/root usr/share/nginx/modules-available/mod-http-ktp.conf
-rwxr-xr-x root/root usr/bin/ktp-key
-rwxr-xr-x root/root usr/bin/ktp-reconcile
END
    'ktp-extractd' => <<'END',
-rw-r--r-- root/root etc/default/ktp-extractd
-rw-r--r-- root/root usr/lib/systemd/system/ktp-extractd.service
-rwxr-xr-x root/root usr/bin/ktp-evaluate
-rwxr-xr-x root/root usr/bin/ktp-extract
-rwxr-xr-x root/root usr/sbin/ktp-extractd
END
    'ktp-specimen' => <<'END',
-rwxr-xr-x root/root usr/bin/ktp-specimen
END
);

# the tree as it is here, not as it is committed
sub copy_tree {
    my ($to) = @_;

    mkdir $to;
    system("git ls-files -z --cached --others --exclude-standard"
           . " | xargs -0 ls -d 2>/dev/null | tar -c -T - | tar -x -C $to") == 0
        or BAIL_OUT('the tree cannot be copied');
}

# the archive of "make dist", which is of what is committed
sub unpack_dist {
    my ($to) = @_;

    mkdir $to;
    system("make -s dist > $dir/dist && tar -xf build/ngx_http_ktp-$version.tar.gz"
           . " -C $to --strip-components=1") == 0
        or BAIL_OUT('the source archive cannot be unpacked');
}

my $committed = `git status --porcelain` eq '';

# both at once, one a processor
my %pids;
for my $name ('first', 'second-of-another-length') {
    mkdir "$dir/$name";

    if ($name ne 'first' && $committed) {
        unpack_dist("$dir/$name/source");
    } else {
        copy_tree("$dir/$name/source");
    }

    my $pid = fork;
    die "fork: $!" unless defined $pid;
    unless ($pid) {
        chdir "$dir/$name/source" or POSIX::_exit(1);
        open STDOUT, '>', "$dir/$name/log";
        open STDERR, '>&', \*STDOUT;
        # as on a build machine
        delete @ENV{qw(CFLAGS LDFLAGS CPPFLAGS MAKEFLAGS)};
        exec qw(dpkg-buildpackage -us -uc -b) or POSIX::_exit(127);
    }
    $pids{$pid} = $name;
}
while ((my $pid = wait) > 0) {
    is($?, 0, "the packages are built ($pids{$pid})")
        or diag(`tail -n 20 $dir/$pids{$pid}/log`);
}

my @first = map { s{.*/}{}r } sort glob "$dir/first/*.deb";
my @wanted = map { /dbgsym/ ? () : $_ } @first;

is_deeply([map { s/_.*//r } @wanted], [sort keys %expected], 'which there are');

for my $deb (@first) {
    is(system('cmp', '-s', "$dir/first/$deb",
              "$dir/second-of-another-length/$deb"), 0,
       "$deb is the same from another folder, byte by byte");
}

for my $deb (@wanted) {
    my $name = $deb =~ s/_.*//r;
    my @files;

    for my $line (split /\n/, `dpkg-deb -c $dir/first/$deb`) {
        my ($mode, $owner, $path) = $line =~ m{^(\S+) (\S+) .* \./(\S*)} or next;
        next if $mode =~ /^[dl]/ || $path =~ m{^usr/share/(doc|man|lintian)/};
        $path =~ s{^lib/systemd/}{usr/lib/systemd/};    # as on newer systems
        push @files, "$mode $owner $path\n";
    }
    is(join('', sort @files), $expected{$name}, "what is in $name")
}

my ($abi) = `dpkg-query -W -f '\${Provides}' nginx nginx-common nginx-core`
    =~ /(nginx-abi-[\w.-]+)/;
like(`dpkg-deb -f $dir/first/libnginx-mod-http-ktp_*.deb Depends`,
     qr/^\Q$abi\E,/, 'the module depends on the nginx that it was built for');

# -- the bill of materials

{
    my @files = map { KTP::Nginx::build_dir() . "/$_" }
                qw(ngx_http_ktp_module.so ktp-extractd);
    my $bom = JSON::PP::decode_json(scalar `scripts/sbom $version @files`);
    my %part = map { $_->{'bom-ref'} => $_ } @{$bom->{components}};
    my %needs = map { $_->{ref} => $_->{dependsOn} } @{$bom->{dependencies}};

    for my $file (@files) {
        my ($name) = $file =~ m{([^/]+)$};
        my $part = $part{"file:$name"};
        my ($digest) = `sha256sum $file` =~ /^(\w+)/;

        is($part->{hashes}[0]{content}, $digest, "the bill has $name");
    }

    like("@{$needs{'file:ngx_http_ktp_module.so'}}",
         qr/\bdeb:libc6 .*\bdeb:libcurl4\S* .*\bdeb:libyajl2\b/,
         'which needs these');

    my @libraries = grep { /^deb:/ } keys %part;

    cmp_ok(scalar @libraries, '>', 10, 'libraries are in it');
    is_deeply([map { $part{$_}{version} } @libraries],
              [map { `dpkg-query -W -f '\${Version}' @{[s/^deb://r]}` } @libraries],
              'with the versions that are installed');
}

SKIP: {
    skip 'no lintian', 1 if !-x '/usr/bin/lintian';
    is(`lintian --allow-root --fail-on none $dir/first/*.changes 2>&1`
           =~ s/^running with root.*\n//mr,
       '', 'lintian is silent');
}

# -- a machine

my $overlay = "$dir/overlay";
mkdir $overlay;

# in a mount and a network namespace: what is done there is gone with it
sub on_machine {
    my ($script) = @_;

    KTP::Nginx::write_file("$dir/script", $script);
    KTP::Nginx::write_file("$dir/machine", <<"END");
set -e
mount -t tmpfs tmpfs $overlay
cd $overlay
mkdir upper work root debs
cp $dir/first/*_*.deb $dir/script debs
rm -f debs/*dbgsym*
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
mkdir -p root/debs
mount --bind debs root/debs
mount -t proc proc root/proc
mount --bind /dev root/dev
mount -t tmpfs tmpfs root/run
mount -t tmpfs tmpfs root/tmp
ip link set lo up
exec chroot root /bin/sh -eu /debs/script
END
    return `unshare -m -n -p -f --kill-child sh $dir/machine 2>&1`;
}

my $ready = on_machine("echo ready\n") =~ /^ready$/m;

SKIP: {
    skip 'no overlay here', 1 if !$ready;

    my $out = on_machine(<<'END');
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
everything() {
    find /etc /lib/systemd /usr/bin /usr/sbin /usr/lib/nginx /usr/lib/systemd \
        /usr/share/doc /usr/share/man /usr/share/nginx /usr/share/ktp* /var/lib \
        /run -path /var/lib/dpkg -prune -o -printf '%M %u:%g %p\n' | sort
    cut -d: -f1 /etc/passwd /etc/group
}
nginx -t -q
everything > /tmp/before
echo "== install"
dpkg -i /debs/*.deb
echo "== installed"
stat -c '%A %U:%G %n' /var/lib/ktp /etc/ktp-extractd/credentials
nginx -t
echo "== picture"
ktp-specimen -o /tmp/card.jpg
ktp-extract /tmp/card.jpg | grep -c '"nik": "[0-9]\{16\}"'
echo "== upgrade"
dpkg -i /debs/libnginx-mod-http-ktp*.deb
echo "== broken"
echo 'nonsense on;' > /etc/nginx/modules-enabled/99-nonsense.conf
dpkg -i /debs/libnginx-mod-http-ktp*.deb
rm /etc/nginx/modules-enabled/99-nonsense.conf
echo "== remove"
touch /var/lib/ktp/state
dpkg -r libnginx-mod-http-ktp ktp-extractd ktp-specimen
stat -c '%n' /var/lib/ktp/state /etc/ktp-extractd/credentials
nginx -t
echo "== purge"
dpkg -P libnginx-mod-http-ktp ktp-extractd ktp-specimen
everything > /tmp/after
echo "== left"
diff /tmp/before /tmp/after || true
echo "== end"
END

    my %part;
    $part{$1} = $2 while $out =~ /^== (\w+)\n(.*?)(?=^== )/gms;

    like($part{install},
         qr/^nginx loads ngx_http_ktp_module\..*production\.conf.*production\.md/ms,
         'installed: the next step');
    is($part{installed} =~ s/^nginx: .*\n//mgr, <<'END', 'owners and modes');
drwxr-x--- www-data:www-data /var/lib/ktp
-rw------- root:root /etc/ktp-extractd/credentials
END
    like($part{installed}, qr/test is successful/, 'nginx loads the module');
    like($part{picture}, qr/^1$/m, 'a specimen is drawn, and read');
    like($part{upgrade}, qr/service nginx upgrade/, 'upgraded: what to run');
    like($part{broken},
         qr/unknown directive "nonsense".*^The configuration of nginx is invalid/ms,
         'with a configuration that is broken, it says so, and is installed');
    like($part{remove}, qr{^/var/lib/ktp/state\n/etc/ktp-extractd/credentials\n}m,
         'removed: counters and keys stay');
    like($part{remove}, qr/test is successful/, 'nginx goes on without');
    is($part{left}, '', 'purged: nothing is left')
        or diag($out);
}

# -- docs/production.md, word by word: what differs is that no network is there,
# and no systemd

SKIP: {
    skip 'no overlay here', 1 if !$ready;

    my @blocks = KTP::Nginx::read_file('docs/production.md')
        =~ /^```sh\n(.*?)^```$/gms;
    cmp_ok(scalar @blocks, '>=', 8, 'the page has commands');

    my $out = on_machine(<<'END' . join "\n", @blocks, "echo == end\n");
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
cat > /usr/local/sbin/apt-get <<'SHIM'
#!/bin/sh
# a file is installed, a name is installed already
for name; do
    case $name in
        ./*.deb) dpkg -i "$name" ;;
        update|install|-y) ;;
        *) dpkg -s "$name" > /dev/null ;;
    esac || exit
done
SHIM
cat > /usr/local/sbin/systemctl <<'SHIM'
#!/bin/sh
case $* in
    'restart nginx')
        [ ! -s /run/nginx.pid ] || exit 1
        nginx ;;
    'enable --now ktp-extractd')
        install -d -o nobody -g www-data -m 750 /run/ktp-extractd
        install -o nobody -m 400 /etc/ktp-extractd/credentials /run/credentials
        setpriv --reuid=nobody --regid=www-data --clear-groups \
            /usr/sbin/ktp-extractd --socket /run/ktp-extractd/ktp-extractd.sock \
            --credentials /run/credentials > /tmp/extractd.log 2>&1 &
        tries=0
        until [ -S /run/ktp-extractd/ktp-extractd.sock ]; do
            tries=$((tries + 1)); [ $tries -lt 300 ] || exit 1; sleep 0.1
        done ;;
    preset*) ;;
    *)  echo "systemctl $*?"; exit 1 ;;
esac
SHIM
chmod 755 /usr/local/sbin/*
cd /debs
END

    like($out, qr/test is successful/, 'production.conf is accepted');
    like($out, qr/^\{"status":"ok"/m, 'health is green');
    like($out, qr{^HTTP/[\d.]+ 200.*^x-ktp-source: fallback\r$}msi,
         'a specimen goes through, without a vendor by the extractor');
    like($out, qr/"status_code":"LOCAL-0".*"nik":"\d{16}"/, 'with a NIK');
    like($out, qr/^== end$/m, 'no command failed')
        or diag($out);
}

done_testing();
