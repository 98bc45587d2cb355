/* A reader driver for tests: Debian's virtual reader (vpcd), whose faults are switched on by a file.
 *
 * SWITCH is the file's path; its first letter says: g  the reader is unplugged, c  what is in it does not answer to power
 * (turned round, or two cards in the field), anything else or no file: all is well. REAL is vpcd's driver.
 * Built by tests/faulty_reader.py with gcc and libpcsclite-dev, as pyscard is.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <ifdhandler.h>

#define VENDOR_NAME 0x00010100
#define VENDOR_IFD_VERSION 0x00010102
#define VERSION 0x02010007 /* 2.1.7 */

static int fault(void)
{
    FILE *file = fopen(SWITCH, "r");
    int letter = file ? fgetc(file) : 0;
    if (file) fclose(file);
    return letter;
}

static void *real(const char *name)
{
    static void *driver;
    if (!driver) driver = dlopen(REAL, RTLD_NOW);
    return dlsym(driver, name);
}

#define CALL(name, types, values) \
    return fault() == 'g' ? IFD_NO_SUCH_DEVICE : ((RESPONSECODE (*) types) real(name)) values

RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel)
{ CALL("IFDHCreateChannel", (DWORD, DWORD), (lun, channel)); }

RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR name)
{ CALL("IFDHCreateChannelByName", (DWORD, LPSTR), (lun, name)); }

RESPONSECODE IFDHCloseChannel(DWORD lun)
{ return ((RESPONSECODE (*)(DWORD)) real("IFDHCloseChannel"))(lun); }

RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value)
{
    if (tag == VENDOR_NAME) {
        *length = sizeof "City Works";
        memcpy(value, "City Works", *length);
        return IFD_SUCCESS;
    }
    if (tag == VENDOR_IFD_VERSION) {
        unsigned int version = VERSION;
        *length = sizeof version;
        memcpy(value, &version, *length);
        return IFD_SUCCESS;
    }
    CALL("IFDHGetCapabilities", (DWORD, DWORD, PDWORD, PUCHAR), (lun, tag, length, value));
}

RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD length, PUCHAR value)
{ CALL("IFDHSetCapabilities", (DWORD, DWORD, DWORD, PUCHAR), (lun, tag, length, value)); }

RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1, UCHAR pts2, UCHAR pts3)
{
    CALL("IFDHSetProtocolParameters", (DWORD, DWORD, UCHAR, UCHAR, UCHAR, UCHAR),
         (lun, protocol, flags, pts1, pts2, pts3));
}

RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD length)
{
    if (fault() == 'c') {
        *length = 0;
        return IFD_ERROR_POWER_ACTION;
    }
    CALL("IFDHPowerICC", (DWORD, DWORD, PUCHAR, PDWORD), (lun, action, atr, length));
}

RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER send, PUCHAR tx, DWORD tx_length, PUCHAR rx, PDWORD rx_length,
                               PSCARD_IO_HEADER receive)
{
    CALL("IFDHTransmitToICC", (DWORD, SCARD_IO_HEADER, PUCHAR, DWORD, PUCHAR, PDWORD, PSCARD_IO_HEADER),
         (lun, send, tx, tx_length, rx, rx_length, receive));
}

RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR tx, DWORD tx_length, PUCHAR rx, DWORD rx_length, LPDWORD returned)
{
    CALL("IFDHControl", (DWORD, DWORD, PUCHAR, DWORD, PUCHAR, DWORD, LPDWORD),
         (lun, code, tx, tx_length, rx, rx_length, returned));
}

RESPONSECODE IFDHICCPresence(DWORD lun)
{ CALL("IFDHICCPresence", (DWORD), (lun)); }
