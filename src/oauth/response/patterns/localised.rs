//! What servers say in the languages that they are most often set to. Only states of an account and limits are told by words:
//! a wrong password shows in the code.

use super::{On, Pattern, says};
use crate::oauth::rejection::Rejection;

use Rejection::{PasswordChangeRequired, RateLimited, UserAccountDisabled, UserAccountLocked};

const LOCKED: &str = "gesperrt|ausgesperrt|verrouill|bloquead|bloqué|bloccat|geblokkeerd|vergrendeld|zablokowan|заблокирован|kilitlen|kilitli|ロック|锁定|\
    鎖定|被锁|잠겼|잠긴|잠겨|잠금|låst|uzamčen|zamčen";
const TOO_MANY_ATTEMPTS: &str = "zu viele fehlversuche|zu viele fehlgeschlagene|zu viele anmeldeversuche|trop de tentatives|\
    demasiados intentos|muitas tentativas|troppi tentativi|te veel pogingen|te veel mislukte|zbyt wiele prób|zbyt wiele nieudanych|\
    слишком много попыток|слишком много неудачных|çok fazla deneme|çok fazla başarısız|尝试次数过多|嘗試次數過多|失败次数过多|次数已达上限|次数达到上限|試行回数|시도 횟수";
const ACCOUNT: &str = "konto|benutzer|compte|utilisateur|cuenta|usuario|conta |usuário|utilizador|account|utente|gebruiker|użytkownik|konto|\
    аккаунт|учетная|учётная|пользовател|hesap|hesab|kullanıcı|アカウント|ユーザ|帐户|账户|帳戶|帐号|账号|帳號|用户|用戶|계정|사용자";
const DISABLED: &str = "deaktiviert|inaktiv|nicht aktiv|désactivé|inactif|desactivad|deshabilitad|desabilitad|inhabilitad|inactiv|desativad|\
    disabilitat|disattivat|inattiv|uitgeschakeld|gedeactiveerd|inactief|wyłączon|dezaktywowan|nieaktywn|отключен|отключён|деактивирован|\
    неактив|devre dışı|pasif|使用不能|無効|停用|禁用|未激活|未啟用|비활성|사용 중지";
const PASSWORD: &str = "passwor|kennwort|mot de passe|contraseña|clave|senha|palavra passe|parola|wachtwoord|hasło|hasła|пароль|пароля|şifre|\
    パスワード|密码|密碼|비밀번호|credenciales|credenciais|credenziali|créances|identifiants|zugangsdaten|凭证|憑證|認証情報|자격 증명";
const OVER: &str = "abgelaufen|expir|caducad|vencid|scadut|verlopen|wygas|истек|истёк|süresi dol|期限切れ|有効期限|过期|過期|만료";
const TOO_MANY_REQUESTS: &str = "zu viele anfragen|trop de requêtes|trop de demandes|demasiadas solicitudes|demasiadas peticiones|\
    muitas solicitações|muitas requisições|muitos pedidos|troppe richieste|te veel verzoeken|te veel aanvragen|zbyt wiele żądań|\
    слишком много запросов|çok fazla istek|リクエストが多すぎ|请求过多|过多请求|请求过于频繁|請求過多|過於頻繁|操作频繁|요청이 너무|요청 횟수";

pub(super) const LOCALISED: &[Pattern] = &[
    says(UserAccountLocked, On::User, &[&[TOO_MANY_ATTEMPTS]], &["client "]),
    says(RateLimited, On::Any, &[&[TOO_MANY_REQUESTS]], &[]),
    says(UserAccountLocked, On::User, &[&[LOCKED]], &["client "]),
    says(UserAccountDisabled, On::User, &[&[ACCOUNT], &[DISABLED]], &["client ", PASSWORD]),
    says(PasswordChangeRequired, On::User, &[&[PASSWORD], &[OVER]], &["client ", "invalid|token"]),
    says(UserAccountDisabled, On::User, &[&[ACCOUNT], &[OVER]], &["client ", "token|session|password|expired|expire "]),
];

#[cfg(test)]
mod tests {
    use super::super::super::words::Words;
    use super::super::of_words;
    use super::*;
    use crate::oauth::grant::GrantType;

    #[test]
    fn the_state_of_an_account_is_told_in_many_languages() {
        for (text, expected) in [
            ("Ihr Konto wurde gesperrt", Some(UserAccountLocked)),
            ("Trop de tentatives de connexion échouées", Some(UserAccountLocked)),
            ("La cuenta está bloqueada", Some(UserAccountLocked)),
            ("用户帐号已被锁定", Some(UserAccountLocked)),
            ("このアカウントはロックされています", Some(UserAccountLocked)),
            ("계정이 잠겼습니다", Some(UserAccountLocked)),
            ("Das Konto ist deaktiviert", Some(UserAccountDisabled)),
            ("Le compte est désactivé", Some(UserAccountDisabled)),
            ("A conta do usuário foi desativada", Some(UserAccountDisabled)),
            ("用户已停用", Some(UserAccountDisabled)),
            ("Ihr Passwort ist abgelaufen", Some(PasswordChangeRequired)),
            ("Пароль истек", Some(PasswordChangeRequired)),
            ("Zu viele Anfragen", Some(RateLimited)),
            ("Benutzername oder Passwort ist falsch", None),
            ("ユーザ名かパスワードが正しくありません", None),
        ] {
            let mut words = Words::default();
            words.add(text);
            assert_eq!(of_words(&words, Some("invalid_grant"), GrantType::Password), expected, "{text}");
        }
    }
}
